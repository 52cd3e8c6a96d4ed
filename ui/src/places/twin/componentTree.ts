import type { CaseSummary, ComponentShape, Severity } from "../../api/types";

export interface ComponentNow {
  path: string;
  title: string;
  depth: number;
  cases: CaseSummary[];
  /** Severity of its worst open case. */
  worst: Severity | null;
  alarms: number;
  faults: number;
  signals: number;
}

interface Trouble {
  component: string;
  severity: "fault" | "warning";
}

const RANKS: Record<Severity, number> = { safety: 0, high: 1, medium: 3, low: 4 };
const FAULT = 2;
const CALM = 9;

const rank = (one: ComponentNow): number => Math.min(one.worst ? RANKS[one.worst] : CALM, one.faults ? FAULT : one.alarms ? 5 : CALM);

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("."), path.lastIndexOf("/"), 0));

/** Components with what is wrong with each, the worst first; parts stay below what they are part of. */
export function componentTree(components: readonly ComponentShape[], signals: readonly { component: string }[], cases: readonly CaseSummary[], alarms: readonly Trouble[]): ComponentNow[] {
  const known = new Set(components.map((c) => c.path));
  const nodes = components.map((c): ComponentNow => {
    const mine = cases.filter((one) => one.component === c.path);
    const ringing = alarms.filter((one) => one.component === c.path);
    const worst = mine.map((one) => one.severity).sort((a, b) => RANKS[a] - RANKS[b])[0] ?? null;
    return {
      path: c.path,
      title: c.title || c.path,
      depth: 0,
      cases: mine,
      worst,
      alarms: ringing.length,
      faults: ringing.filter((one) => one.severity === "fault").length,
      signals: signals.filter((one) => one.component === c.path).length,
    };
  });
  const above = (path: string): string => {
    let parent = parentOf(path);
    while (parent && !known.has(parent)) parent = parentOf(parent);
    return parent;
  };
  const children = new Map<string, ComponentNow[]>();
  for (const node of nodes) children.set(above(node.path), [...(children.get(above(node.path)) ?? []), node]);
  const worstBelow = (node: ComponentNow): number => Math.min(rank(node), ...(children.get(node.path) ?? []).map(worstBelow));
  const walk = (parent: string, depth: number): ComponentNow[] =>
    [...(children.get(parent) ?? [])]
      .sort((a, b) => worstBelow(a) - worstBelow(b) || a.title.localeCompare(b.title, "en", { numeric: true }))
      .flatMap((node) => [{ ...node, depth }, ...walk(node.path, depth + 1)]);
  return walk("", 0);
}
