import { useEffect } from "react";
import { get, path, post, unless } from "../api/client";
import type { Job, JobDetail, LineModelAnswer } from "../api/types";
import { type Asked, useQuery } from "./query";

const WORKING_MS = 1000;

export interface Interval {
  mean: number;
  low: number;
  high: number;
  clear: boolean;
}

export interface StationShares {
  id: string;
  working: number;
  failed: number;
  setup: number;
  paused: number;
  starved: number;
  blocked: number;
  closed: number;
  waiting: number;
}

export interface ScenarioRow {
  name: string;
  figures: Record<string, Interval>;
  differences: Record<string, Interval>;
  stations: StationShares[];
  worth?: { per_year: string; low: string; high: string; currency: string };
}

/** Plan of a comparison, as the service line_simulation gives it. */
export interface ComparisonPlan {
  base: { figures: Record<string, Interval>; stations: StationShares[] };
  scenarios: ScenarioRow[];
  replications: number;
  enough: boolean;
  seconds: number;
}

export interface MetFigure {
  figure: string;
  measured: number;
  predicted: number;
  low: number;
  high: number;
  relative: number | null;
  inside: boolean;
}

export interface LineStation {
  id: string;
  title?: string;
  machines?: number;
  places?: number | null;
  stops?: { name: string; kind?: string }[];
  setup?: unknown;
  twins?: string[];
}

export interface Change {
  what: string;
  station: string;
  to?: number;
  times?: number;
}

export interface Scenario {
  name: string;
  changes: Change[];
  cost_per_year: string;
}

/** The kept model of a line; undefined data with no problem: there is none yet. */
export function useLineModel(line: string | null): Asked<LineModelAnswer | null> {
  const answer = useQuery(line === null ? null : `line model ${line}`, (signal) =>
    unless("line:no-model", get<LineModelAnswer>(path`/lines/${line ?? ""}/model`, {}, signal)),
  );
  const working = isWorking(answer.data?.validation ?? null);
  useEffect(() => {
    if (!working) return undefined;
    const timer = window.setInterval(answer.reload, WORKING_MS);
    return () => window.clearInterval(timer);
  }, [working, answer.reload]);
  return answer;
}

export const isWorking = (job: JobDetail | Job | null): boolean => job?.state === "waiting" || job?.state === "running";

export const buildLineModel = (line: string): Promise<LineModelAnswer> => post<LineModelAnswer>(path`/lines/${line}/model`, {});

export interface ComparisonQuestion {
  scenarios: Scenario[];
  days: number;
  worth_per_part: string;
  currency: string;
}

export const compareScenarios = (line: string, question: ComparisonQuestion): Promise<Job> => post<Job>(path`/lines/${line}/comparisons`, question);

export const comparisonOf = (line: string): string => `scenarios of ${line}`;
