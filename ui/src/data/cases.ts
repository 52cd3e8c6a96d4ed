import { useCallback } from "react";
import { get, path } from "../api/client";
import type { CaseDetail, CaseSummary, Page, Severity, Verdict } from "../api/types";
import { useHappened } from "../live/live";
import { type Asked, useQuery } from "./query";
import { getAll, useAsOfText } from "./twins";

const REFRESH_MS = 30_000;

/** Ask again when something happened to any case, unless a moment of the past is looked at. */
function useReloadOnCases(asOf: string | null, reload: () => void): void {
  useHappened(
    useCallback(
      (event) => {
        if (asOf === null && event.kind.startsWith("case-")) reload();
      },
      [asOf, reload],
    ),
  );
}

/** Cases of a machine and all below it (empty: of all machines), the most urgent first. */
export function useCases(twin: string, open: boolean, wanted = true): Asked<CaseSummary[]> {
  const asOf = useAsOfText();
  const answer = useQuery(
    wanted ? `cases ${twin} ${open} ${asOf ?? "now"}` : null,
    (signal) => getAll<CaseSummary>("/cases", { twin: twin || null, open: open ? "true" : null, as_of: asOf }, signal),
    asOf === null ? REFRESH_MS : 0,
  );
  useReloadOnCases(asOf, answer.reload);
  return answer;
}

/** What is still to be done or proven, over all machines. */
export const useOpenCases = (wanted = true): Asked<CaseSummary[]> => useCases("", true, wanted);

export function useCase(id: string): Asked<CaseDetail> {
  const asOf = useAsOfText();
  const answer = useQuery(`case ${id} ${asOf ?? "now"}`, (signal) => get<CaseDetail>(path`/cases/${id}`, { as_of: asOf }, signal), asOf === null ? REFRESH_MS : 0);
  useReloadOnCases(asOf, answer.reload);
  return answer;
}

/** When a repair counts as proven: a condition that has to come again so many times, or to last so long. */
export interface RepairRule {
  when: string;
  times: number;
  lasting_s: number;
}

/** A requirement of one machine and where it stands. */
export interface Requirement {
  name: string;
  component: string;
  text: string;
  formula: string;
  words: string;
  severity: Severity;
  signals: string[];
  /** Whether the machine type demands it, or this twin alone. */
  source: "type" | "twin";
  horizon_s: number;
  /** null: no verdict yet. */
  verdict: Verdict | null;
  since: string | null;
  violations_30d: number;
  /** Id of its open case. */
  case: string | null;
  repair: RepairRule;
}

/** What a machine must do, as it is now: the API knows no requirements of the past. */
export function useRequirements(twin: string): Asked<Page<Requirement>> {
  const asOf = useAsOfText();
  const answer = useQuery(
    `requirements ${twin}`,
    (signal) => get<Page<Requirement>>(path`/twins/${twin}/requirements`, {}, signal),
    asOf === null ? REFRESH_MS : 0,
  );
  useReloadOnCases(asOf, answer.reload);
  return answer;
}

/** A stretch of time with one verdict; `least` and `most` bound its robustness. */
export interface VerdictPiece {
  from: string;
  to: string;
  verdict: Verdict;
  least: number | null;
  most: number | null;
}

export interface FormulaFault {
  code: string;
  message: string;
  hint: string;
  /** Characters [from, to) of the formula. */
  from: number;
  to: number;
}

/** What a formula says, as far as it can be read. */
export interface FormulaCheck {
  words: string;
  signals: string[];
  horizon_s: number | null;
  faults: FormulaFault[];
}

/** What a formula would have said about the past. */
export interface TryOut {
  /** The first of them; `count` tells how many there are. */
  violations: VerdictPiece[];
  count: number;
  /** How often its condition came; null: it has none. */
  triggered: number | null;
  seconds: Partial<Record<Verdict, number>>;
}
