import { useCallback } from "react";
import { get, path, post } from "../api/client";
import type { DueTasks, Job, JobSheet, JobSheets, MaintenancePlan, Proposals, Recommendation, Recommendations, Routes, UsedPart, VisitCounts } from "../api/types";
import { useHappened } from "../live/live";
import { type Asked, useQuery } from "./query";

const REFRESH_MS = 30_000;
const KINDS = ["recommendation", "job-sheet", "work-order", "job"];

function useFresh<T>(answer: Asked<T>): Asked<T> {
  const reload = answer.reload;
  useHappened(
    useCallback(
      (event) => {
        if (KINDS.includes(event.kind)) reload();
      },
      [reload],
    ),
  );
  return answer;
}

const asked = <T>(what: string) => (signal: AbortSignal) => get<T>(`/maintenance/${what}`, {}, signal);

export const useDueTasks = (): Asked<DueTasks> => useFresh(useQuery("maintenance tasks", asked<DueTasks>("tasks"), REFRESH_MS));
export const useMaintenancePlan = (): Asked<MaintenancePlan> => useFresh(useQuery("maintenance plan", asked<MaintenancePlan>("plan"), REFRESH_MS));
export const useRecommendations = (): Asked<Recommendations> => useFresh(useQuery("recommendations", asked<Recommendations>("recommendations"), REFRESH_MS));
export const useRoutes = (): Asked<Routes> => useFresh(useQuery("visit routes", asked<Routes>("visits"), REFRESH_MS));
export const useVisitCounts = (): Asked<VisitCounts> => useQuery("visit counts", asked<VisitCounts>("visit-counts"), REFRESH_MS);
export const useJobSheets = (mine: boolean): Asked<JobSheets> =>
  useFresh(useQuery(`job sheets ${mine}`, (signal) => get<JobSheets>("/maintenance/jobs", { mine: String(mine) }, signal), REFRESH_MS));

export const askPlan = (): Promise<Job> => post<Job>("/maintenance/plans", { days: 35, budget_s: 10 });
export const askRoutes = (): Promise<Job> => post<Job>("/maintenance/visits", { days: 7, budget_s: 5 });
export const propose = (job: string): Promise<Proposals> => post<Proposals>(path`/maintenance/plans/${job}/recommendations`, {});

export interface RecommendationAct {
  action: string;
  from?: string;
  to?: string;
  text?: string;
  found?: string;
}
export const act = (id: string, step: RecommendationAct): Promise<Recommendation> => post<Recommendation>(path`/maintenance/recommendations/${id}/steps`, step);

export const tick = (order: string, step: number): Promise<JobSheet> => post<JobSheet>(path`/maintenance/jobs/${order}/ticks`, { step });
export const takePart = (order: string, part: string, quantity: number): Promise<UsedPart> => post<UsedPart>(path`/maintenance/jobs/${order}/parts`, { part, quantity });
export const closeJob = (order: string, end: { case: string; proof: string; note: string }): Promise<JobSheet> => post<JobSheet>(path`/maintenance/jobs/${order}/close`, end);
