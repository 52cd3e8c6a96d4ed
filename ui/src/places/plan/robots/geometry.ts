import type { FleetMap } from "../../../api/types";

/** From metres of the map (y up) to pixels of the canvas (y down). */
export interface View {
  scale: number;
  left: number;
  top: number;
  /** Length of a cell, m: the shortest way. */
  cell: number;
}

export interface Known {
  map: FleetMap;
  at: ReadonlyMap<string, { x: number; y: number }>;
  cell: number;
  box: { left: number; right: number; low: number; high: number };
  out: ReadonlyMap<string, readonly string[]>;
}

export function knownMap(map: FleetMap): Known {
  const at = new Map(map.places.map((p) => [p.id, { x: p.x, y: p.y }]));
  const out = new Map<string, string[]>();
  let cell = Infinity;
  for (const [from = "", to = ""] of map.ways) {
    const a = at.get(from);
    const b = at.get(to);
    if (!a || !b) continue;
    cell = Math.min(cell, Math.hypot(a.x - b.x, a.y - b.y));
    out.set(from, [...(out.get(from) ?? []), to]);
  }
  if (!Number.isFinite(cell) || cell <= 0) cell = 1;
  const xs = map.places.map((p) => p.x);
  const ys = map.places.map((p) => p.y);
  const bound = (values: number[], pick: (...all: number[]) => number): number => values.reduce((a, b) => pick(a, b), values[0] ?? 0);
  return { map, at, cell, out, box: { left: bound(xs, Math.min), right: bound(xs, Math.max), low: bound(ys, Math.min), high: bound(ys, Math.max) } };
}

/** Height in pixels that the map needs at a width. */
export function heightFor(known: Known, width: number): number {
  const { box, cell } = known;
  const wide = box.right - box.left + cell;
  const high = box.high - box.low + cell;
  return Math.min(720, Math.max(160, (width * high) / wide));
}

export function viewOf(known: Known, width: number, height: number): View {
  const { box, cell } = known;
  const scale = Math.min(width / (box.right - box.left + cell), height / (box.high - box.low + cell));
  const left = (width - (box.right - box.left) * scale) / 2 - box.left * scale;
  const top = (height - (box.high - box.low) * scale) / 2 + box.high * scale;
  return { scale, left, top, cell };
}

export const toX = (view: View, x: number): number => view.left + x * view.scale;
export const toY = (view: View, y: number): number => view.top - y * view.scale;

/** The place under a pixel, or null. */
export function placeAt(known: Known, view: View, px: number, py: number): string | null {
  let best: string | null = null;
  let far = view.cell * view.scale * 0.6;
  for (const [id, at] of known.at) {
    const d = Math.max(Math.abs(toX(view, at.x) - px), Math.abs(toY(view, at.y) - py));
    if (d < far) [best, far] = [id, d];
  }
  return best;
}

/** The nearest place in a direction of the keyboard; the same one where there is none. */
export function neighbour(known: Known, from: string, dx: number, dy: number): string {
  const here = known.at.get(from);
  if (!here) return known.map.places[0]?.id ?? from;
  let best = from;
  let least = Infinity;
  for (const [id, at] of known.at) {
    const along = (at.x - here.x) * dx + (at.y - here.y) * dy;
    const aside = Math.abs((at.x - here.x) * dy) + Math.abs((at.y - here.y) * dx);
    if (along <= 1e-6 || aside > along) continue;
    const cost = along + 2 * aside;
    if (cost < least) [best, least] = [id, cost];
  }
  return best;
}
