import type { ControllerCheck, ControllerRun, ControllerTransition, ControllerRegion, ControllerState } from "../../api/types";

/** A run that can be looked at, and of which version it is. */
export interface NamedRun {
  key: string;
  title: string;
  version: number;
  run: ControllerRun;
  /** Name of the property that it breaks; empty: it shows a defect of the model. */
  property: string;
}

/** Every run of a check: violations of this version, of the older one, then defects of the model. */
export function runsOf(check: ControllerCheck | null, version: number): NamedRun[] {
  if (!check?.report) return [];
  const found: NamedRun[] = [];
  for (const one of check.report.answers) if (one.counterexample) found.push({ key: one.name, title: one.text || one.name, version, run: one.counterexample, property: one.name });
  for (const one of check.comparison?.properties ?? []) {
    if (one.older?.counterexample) found.push({ key: `older:${one.name}`, title: one.text || one.name, version: check.comparison?.older.version ?? 0, run: one.older.counterexample, property: one.name });
  }
  check.report.findings.forEach((one, i) => {
    if (one.counterexample) found.push({ key: `defect:${i}`, title: one.message, version, run: one.counterexample, property: "" });
  });
  return found;
}

const waysOf = (states: readonly ControllerState[]): ControllerTransition[] => states.flatMap((one) => [...one.transitions, ...waysOf(one.states)]);

export interface WayChange {
  label: string;
  older: string | null;
  newer: string | null;
}

const described = (one: ControllerTransition): string => [one.event, one.guard, one.actions.join("; "), one.priority === 1 ? "" : `priority ${one.priority}`].filter(Boolean).join(" / ");

/** Transitions that one version has and the other has not, or has otherwise. */
export function changesBetween(older: readonly ControllerRegion[], newer: readonly ControllerRegion[]): WayChange[] {
  const collect = (regions: readonly ControllerRegion[]): Map<string, string> => {
    const all = new Map<string, string>();
    for (const way of regions.flatMap((region) => waysOf(region.states))) all.set(way.label, all.has(way.label) ? `${all.get(way.label)} | ${described(way)}` : described(way));
    return all;
  };
  const before = collect(older);
  const after = collect(newer);
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((label) => before.get(label) !== after.get(label))
    .map((label) => ({ label, older: before.get(label) ?? null, newer: after.get(label) ?? null }));
}
