import { useEffect } from "react";
import { get, path, post } from "../api/client";
import type { ControllerCheck, ControllerDetail, ControllerReplay, ControllerReplays, ControllerSummary } from "../api/types";
import { type Asked, useQuery } from "./query";
import { getAll } from "./twins";

const WORKING_MS = 1500;

export const useControllers = (): Asked<ControllerSummary[]> =>
  useQuery("controllers", (signal) => getAll<ControllerSummary>("/controllers", {}, signal), 30_000);

/** A version of a controller; null: none is asked for. */
export function useController(reference: string | null): Asked<ControllerDetail> {
  const answer = useQuery(reference === null ? null : `controller ${reference}`, (signal) => get<ControllerDetail>(path`/controllers/${reference ?? ""}`, {}, signal));
  useUntilDone(answer.data?.check?.state, answer.reload);
  return answer;
}

/** Asks again while something waits or runs; then the page has what came of it. */
function useUntilDone(state: string | undefined, reload: () => void): void {
  const working = state === "waiting" || state === "running";
  useEffect(() => {
    if (!working) return undefined;
    const timer = window.setInterval(reload, WORKING_MS);
    return () => window.clearInterval(timer);
  }, [working, reload]);
}

/** Replays of a version in the simulator, newest first. */
export function useReplays(reference: string): Asked<ControllerReplay[]> {
  const answer = useQuery(`replays ${reference}`, async (signal) => (await get<ControllerReplays>(path`/controllers/${reference}/replays`, {}, signal)).items);
  useUntilDone(answer.data?.find((one) => one.state === "running" || one.state === "waiting")?.state, answer.reload);
  return answer;
}

export interface ReplayQuestion {
  property: string;
  inputs_of: number;
  pace: number;
}

export const askReplay = (reference: string, question: ReplayQuestion): Promise<ControllerReplay> => post<ControllerReplay>(path`/controllers/${reference}/replays`, question);

export interface CheckQuestion {
  depth: number;
  seconds: number;
  against: number | null;
  twin: string | null;
}

export const askCheck = (reference: string, question: CheckQuestion): Promise<ControllerCheck> => post<ControllerCheck>(path`/controllers/${reference}/checks`, question);
