import { get, path, post, putFile } from "../api/client";
import type { ComparedAnswer, Job, RegisterEntries } from "../api/types";
import { type Asked, useQuery } from "./query";

export const CO_SIMULATION = "co_simulation";

/** A model file that is kept, as the register `fmus` has it. */
export interface Model {
  id: string;
  kind: string;
  title: string;
  fmi: string;
  size: number;
}

/** Trace of a set-up, as the service co_simulation gives it. */
export interface TracePlan {
  title: string;
  times: number[];
  columns: Record<string, (number | string | boolean | null)[]>;
  units: Record<string, string>;
  step: number;
  steps: number;
  fmus: Record<string, { sandbox?: Record<string, string> }>;
}

export interface Watched {
  signal: string;
  shown: string;
  within: number;
  early_late: number;
  lasting: number;
}

export function useModels(): Asked<Model[]> {
  return useQuery("fmus", async (signal) => {
    const found = await get<RegisterEntries>("/registers/fmus", { limit: 200 }, signal);
    return found.items.map((entry) => ({ kind: "fmu", title: "", fmi: "", size: 0, ...entry.body, id: entry.id }));
  });
}

export const keepModel = (id: string, file: Blob): Promise<unknown> => putFile(path`/fmus/${id}`, file);

/** Have one model simulated by itself: an FMU as the only component, named as it is kept, or an SSP package. */
export function simulateSetUp(model: Model, title: string, stop: number, step: number, start: Record<string, number>): Promise<Job> {
  if (model.kind === "ssp") return post<Job>("/co-simulations", { ssp: model.id, stop, step, title });
  const system = { components: [{ name: model.id, fmu: model.id, start }], start: 0, stop, step, title };
  return post<Job>("/co-simulations", { system, fmus: { [model.id]: model.id }, title });
}

export const compareWithMachine = (job: string, question: { twin: string; name: string; begin: string; open_cases: boolean; signals: Watched[] }): Promise<ComparedAnswer> =>
  post<ComparedAnswer>(path`/co-simulations/${job}/comparison`, question);
