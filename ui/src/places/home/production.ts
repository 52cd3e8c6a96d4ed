import type { Oee } from "../../api/types";

const NOT_PLANNED = new Set(["planned_stop", "preventive", "unknown"]);

/** Parts made, and how many the planned time so far would have given at the ideal cycle (null: cannot be told). */
export interface Made {
  made: number;
  good: number;
  planned: number | null;
}

interface Terms {
  made?: Record<string, number>;
  good?: Record<string, number>;
  ideal_s?: number | null;
  in_state_s?: Record<string, number>;
}

const sum = (parts: Record<string, number> | undefined): number => Object.values(parts ?? {}).reduce((a, b) => a + b, 0);

export function madeOf(oee: Pick<Oee, "terms">): Made {
  const terms = oee.terms as Terms;
  const made = sum(terms.made);
  const busy = Object.entries(terms.in_state_s ?? {})
    .filter(([state]) => !NOT_PLANNED.has(state))
    .reduce((total, [, seconds]) => total + seconds, 0);
  // The mean ideal cycle of what was made stands for what was planned: no order book is known yet.
  const cycle = terms.ideal_s && made ? terms.ideal_s / made : null;
  return { made, good: sum(terms.good), planned: cycle ? busy / cycle : null };
}
