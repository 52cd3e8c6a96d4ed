import { get, path, post, postFile, put, unless, withQuery } from "../api/client";
import type { Concerning, Job, MovedByHand, NextTasks, PlanNeeds, RegisterEntry, Schedule, ScheduleComparison, Schedules, ShiftMove, ShiftMoved } from "../api/types";
import { type Asked, useQuery } from "./query";

export const PUBLISHED = "published";
/** Ids of plans that a shift asks for begin with it. */
export const ASKED_BY_SHIFT = "shift-";
const REPLANNING = "/registers/replanning/production";

/** Plans that are kept, and jobs that made plans. */
export const useSchedules = (): Asked<Schedules> => useQuery("schedules", (signal) => get<Schedules>("/schedules", {}, signal), 15_000);

/** A plan with its reasons; null: none is asked for. `version` asks anew when its job has found a better one. */
export function useSchedule(id: string | null, version: string | number = 0): Asked<Schedule> {
  return useQuery(id === null ? null : `schedule ${id} ${version}`, (signal) => get<Schedule>(path`/schedules/${id ?? ""}`, {}, signal), 0, `schedule ${id}`);
}

/** What moves from one plan to another, and why. */
export function useComparison(first: string | null, second: string | null, version: string | number = 0): Asked<ScheduleComparison> {
  const both = first !== null && second !== null && first !== second;
  return useQuery(both ? `schedules ${first} ${second} ${version}` : null, (signal) => get<ScheduleComparison>(path`/schedules/${first ?? ""}/against/${second ?? ""}`, {}, signal));
}

/** What the published plan needs; null: none is published. */
export const useNeeds = (): Asked<PlanNeeds | null> =>
  useQuery("schedule needs", (signal) => unless("plan:unknown", get<PlanNeeds>("/schedules/needs", {}, signal)), 60_000);

/** What the published plans of others need of us and bring to us. */
export const useConcerning = (): Asked<Concerning> => useQuery("schedule concerning", (signal) => get<Concerning>("/schedules/concerning", {}, signal), 60_000);

export const useNextTasks = (machine: string): Asked<NextTasks> =>
  useQuery(`schedule next ${machine}`, (signal) => get<NextTasks>("/schedules/next", { machine }, signal), 30_000);

/** Whether new plans are asked for by themselves when reality changes; `false` where nobody has said so. */
export const useReplanning = (): Asked<boolean> =>
  useQuery("replanning", async (signal) => {
    const entry = await unless("register:entry-unknown", get<RegisterEntry>(REPLANNING, {}, signal));
    return entry?.body["on"] === true;
  });
export const setReplanning = (on: boolean, budget: number, freeze: number): Promise<unknown> =>
  put<unknown>(REPLANNING, { body: { on, budget_s: budget, freeze_minutes: freeze } });

export const askSchedule = (budget: number, freeze: number): Promise<Job> => post<Job>("/schedules", { budget_s: budget, freeze_minutes: freeze });
/** Refused where the published plan is not the one of that revision any more (0: there was none). */
export const publishSchedule = (id: string, replaces: number): Promise<Schedule> => post<Schedule>(path`/schedules/${id}/publish`, { replaces });
export const moveOperation = (id: string, order: string, operation: string, machine: string, start: string): Promise<MovedByHand> =>
  post<MovedByHand>(path`/schedules/${id}/move`, { order, operation, machine, start });
/** A plan from a file: a table where its name ends so, else JSON (a plan, or a job list of ISA-95). */
export const importSchedule = (file: File, base: string): Promise<Schedule> =>
  postFile<Schedule>(withQuery("/schedules/import", { base, name: file.name }), file, /\.csv$/i.test(file.name) ? "text/csv" : "application/json");
/** What the shift wants at its machine: this operation first, or later than the one that follows it. */
export interface ShiftWish {
  machine: string;
  order: string;
  operation: string;
  how: "first" | "later";
}
/** What the move would change; asked anew each time, for the plan may be another one by now. */
export const useShiftMove = (wish: ShiftWish): Asked<ShiftMove> =>
  useQuery(`schedule move ${wish.machine} ${wish.order}/${wish.operation} ${wish.how}`, (signal) => get<ShiftMove>("/schedules/moves", { ...wish }, signal), 15_000);
/** `ask`: let whoever plans decide; else it is done where nobody is worse off. */
export const moveInShift = (wish: ShiftWish, revision: number, reason: string, text: string, ask: boolean): Promise<ShiftMoved> =>
  post<ShiftMoved>("/schedules/moves", { ...wish, revision, reason, text, ask });
export const answerTask = (order: string, operation: string, answer: "begun" | "done" | "rejected", reason = ""): Promise<NextTasks> =>
  post<NextTasks>("/schedules/answers", { order, operation, answer, reason });
