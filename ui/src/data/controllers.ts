import { useEffect } from "react";
import { get, path, post } from "../api/client";
import type { ControllerCheck, ControllerDetail, ControllerSummary } from "../api/types";
import { type Asked, useQuery } from "./query";
import { getAll } from "./twins";

const WORKING_MS = 1500;

export const useControllers = (): Asked<ControllerSummary[]> =>
  useQuery("controllers", (signal) => getAll<ControllerSummary>("/controllers", {}, signal), 30_000);

/** A version of a controller; null: none is asked for. */
export function useController(reference: string | null): Asked<ControllerDetail> {
  const answer = useQuery(reference === null ? null : `controller ${reference}`, (signal) => get<ControllerDetail>(path`/controllers/${reference ?? ""}`, {}, signal));
  // While a check waits or runs its end is looked for; then the page has what it found.
  const state = answer.data?.check?.state;
  const working = state === "waiting" || state === "running";
  const { reload } = answer;
  useEffect(() => {
    if (!working) return undefined;
    const timer = window.setInterval(reload, WORKING_MS);
    return () => window.clearInterval(timer);
  }, [working, reload]);
  return answer;
}

export interface CheckQuestion {
  depth: number;
  seconds: number;
  against: number | null;
  twin: string | null;
}

export const askCheck = (reference: string, question: CheckQuestion): Promise<ControllerCheck> => post<ControllerCheck>(path`/controllers/${reference}/checks`, question);
