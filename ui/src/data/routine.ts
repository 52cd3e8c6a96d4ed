import { get, post, put, unless } from "../api/client";
import type { KindChange, RegisterEntry, RoutineComparison, RoutineIn, RoutineKind, ShiftsToSay } from "../api/types";
import type { Range } from "../parts/DayRange";
import { type Asked, useQuery } from "./query";

const STUDY = "/registers/routine_study/production";

/** How a company asks for minutes of routine; what it does not say holds by default. */
export interface RoutineStudy {
  since?: string;
  places?: { place: string; since: string }[];
  kinds?: RoutineKind[];
  rate?: string;
  currency?: string;
  note?: string;
}

/** The last shifts at a place with what they said. */
export const useRoutineShifts = (place: string): Asked<ShiftsToSay> =>
  useQuery(`routine shifts ${place}`, (signal) => get<ShiftsToSay>("/schedules/routine/shifts", { place }, signal), 60_000);

/** Before and after the assistant, of shifts that began in the range; the empty place is everything. */
export const useRoutineComparison = (place: string, { from, to }: Range): Asked<RoutineComparison> =>
  useQuery(`routine ${place} ${from} ${to}`, (signal) => get<RoutineComparison>("/schedules/routine/comparison", { place, from, to }, signal), 60_000, "routine");

export const useRoutineStudy = (): Asked<RoutineStudy> =>
  useQuery("routine study", async (signal) => ((await unless("register:entry-unknown", get<RegisterEntry>(STUDY, {}, signal)))?.body ?? {}) as RoutineStudy);

export const sayRoutine = (said: Pick<RoutineIn, "place" | "day" | "shift" | "minutes" | "whole">): Promise<unknown> => post("/schedules/routine/shifts", said);
export const saveRoutineStudy = (study: RoutineStudy): Promise<unknown> => put(STUDY, { body: study });

/** Kinds that shifts are asked for: a comparison also tells those that were said without being asked (any more). */
export const askedKinds = (kinds: readonly Pick<KindChange, "kind" | "title" | "asked">[]): RoutineKind[] =>
  kinds.filter((one) => one.asked).map((one) => ({ id: one.kind, title: one.title }));

/** The company's own list of kinds: none as long as it has none and its lines are left as they are. */
export function kindsToKeep(lines: string, known: readonly RoutineKind[], own: readonly RoutineKind[] | undefined): RoutineKind[] | undefined {
  const asked = kindsOf(lines, known);
  const same = asked.length === known.length && asked.every((kind, n) => kind.id === known[n]?.id);
  return same && own === undefined ? undefined : asked;
}

/** Kinds by their titles, one a line: a line that is known keeps its id, and so what was said of it. */
export function kindsOf(lines: string, known: readonly RoutineKind[]): RoutineKind[] {
  const titles = lines.split("\n").map((line) => line.trim()).filter(Boolean);
  const kept = new Map(known.map((kind) => [kind.title, kind.id]));
  const taken = new Set(known.map((kind) => kind.id));
  return titles.map((title, n) => {
    const old = kept.get(title);
    if (old !== undefined) return { id: old, title };
    const plain = title.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 36);
    let id = plain || `kind-${n + 1}`;
    for (let more = 2; taken.has(id); more += 1) id = `${plain || "kind"}-${more}`;
    taken.add(id);
    return { id, title };
  });
}
