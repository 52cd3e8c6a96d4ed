import { useEffect, useState } from "react";
import { ApiError, path, post } from "../../api/client";
import type { FormulaCheck, FormulaFault } from "../../data/cases";

const PAUSE_MS = 300;
const NO_FAULTS: readonly FormulaFault[] = [];

export interface Checked {
  /** The newest answer, while the text that it is about is still what is typed. */
  answer: FormulaCheck | null;
  faults: readonly FormulaFault[];
  checking: boolean;
  problem: ApiError | null;
  /** Whether the text as typed can be read. */
  fine: boolean;
}

interface Held {
  formula: string;
  answer: FormulaCheck | null;
  problem: ApiError | null;
}

/** What the node says of a formula, asked shortly after each change. */
export function useFormulaCheck(twin: string, component: string, formula: string): Checked {
  const [held, setHeld] = useState<Held>({ formula: "", answer: null, problem: null });
  const empty = formula.trim() === "";
  useEffect(() => {
    if (empty) return undefined;
    let stale = false;
    const timer = window.setTimeout(() => {
      post<FormulaCheck>(path`/twins/${twin}/requirements/check`, { formula, component }).then(
        (answer) => {
          if (!stale) setHeld({ formula, answer, problem: null });
        },
        (error: unknown) => {
          if (!(error instanceof ApiError)) throw error;
          if (!stale) setHeld({ formula, answer: null, problem: error });
        },
      );
    }, PAUSE_MS);
    return () => {
      stale = true;
      window.clearTimeout(timer);
    };
  }, [twin, component, formula, empty]);
  const current = !empty && held.formula === formula;
  const answer = current ? held.answer : null;
  const faults = answer?.faults ?? NO_FAULTS;
  return { answer, faults, checking: !empty && !current, problem: current ? held.problem : null, fine: answer !== null && faults.length === 0 };
}
