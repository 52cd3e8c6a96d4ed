import type { Genealogy, LinkShape } from "../../api/types";

/** Where a box stands: `of` boxes share its column. `more`: it stands for so many that are not drawn. */
export interface Placed {
  id: string;
  column: number;
  row: number;
  of: number;
  more: number;
}

const AT_MOST = 8;
const REACH = 2;

/** Columns of a genealogy: two steps back, the object, two steps on; long columns end in a count. */
export function columnsOf(life: Pick<Genealogy, "up" | "down"> & { object: { id: string } }): { nodes: Placed[]; columns: number; rows: number } {
  const back = layers(life.object.id, life.up, "target", "source");
  const on = layers(life.object.id, life.down, "source", "target");
  const columns = [...back.reverse(), [life.object.id], ...on];
  const seen = new Set<string>();
  const nodes: Placed[] = [];
  let rows = 1;
  columns.forEach((ids, column) => {
    const fresh = ids.filter((id) => !seen.has(id) && seen.add(id));
    const shown = fresh.length > AT_MOST ? fresh.slice(0, AT_MOST - 1) : fresh;
    const more = fresh.length - shown.length;
    const of = shown.length + (more ? 1 : 0);
    rows = Math.max(rows, of);
    shown.forEach((id, row) => nodes.push({ id, column, row, of, more: 0 }));
    if (more) nodes.push({ id: `more ${column}`, column, row: of - 1, of, more });
  });
  return { nodes, columns: columns.length, rows };
}

/** Objects by their distance, nearest layer first. */
function layers(start: string, links: readonly LinkShape[], near: "source" | "target", far: "source" | "target"): string[][] {
  const found: string[][] = [];
  const seen = new Set([start]);
  let wave = [start];
  while (found.length < REACH) {
    const next = [...new Set(links.filter((k) => wave.includes(k[near])).map((k) => k[far]))].filter((id) => !seen.has(id)).sort();
    if (next.length === 0) break;
    next.forEach((id) => seen.add(id));
    found.push(next);
    wave = next;
  }
  return found;
}
