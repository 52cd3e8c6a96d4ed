import { useEffect } from "react";
import { get, path, post } from "../api/client";
import type { Job, JobDetail, Jobs } from "../api/types";
import { type Asked, useQuery } from "./query";

const WORKING_MS = 1000;
const IDLE_MS = 15_000;

export const isOver = (job: Job): boolean => job.state !== "waiting" && job.state !== "running";

/** Jobs of planners and trainers, newest first. */
export function useJobs(question: { service?: string; about?: string } = {}): Asked<Job[]> {
  const key = `jobs ${question.service ?? ""} ${question.about ?? ""}`;
  const answer = useQuery(key, async (signal) => (await get<Jobs>("/jobs", { limit: 50, ...question }, signal)).items, IDLE_MS);
  useWhile(answer.data?.some((job) => !isOver(job)) ?? false, answer.reload);
  return answer;
}

/** One job with its best plan so far; null: none is asked for. */
export function useJob(id: string | null): Asked<JobDetail> {
  const answer = useQuery(id === null ? null : `job ${id}`, (signal) => get<JobDetail>(path`/jobs/${id ?? ""}`, {}, signal));
  useWhile(answer.data !== undefined && !isOver(answer.data), answer.reload);
  return answer;
}

/** Asks again while something is at work; then the page has what came of it. */
function useWhile(working: boolean, reload: () => void): void {
  useEffect(() => {
    if (!working) return undefined;
    const timer = window.setInterval(reload, WORKING_MS);
    return () => window.clearInterval(timer);
  }, [working, reload]);
}

export const cancelJob = (id: string): Promise<Job> => post<Job>(path`/jobs/${id}/cancel`, {});
