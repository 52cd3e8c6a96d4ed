import { useState } from "react";
import { ApiError } from "../api/client";

interface Act {
  /** Does something for a person; what the node refuses becomes the problem. */
  act: (work: () => Promise<unknown>) => Promise<void>;
  busy: boolean;
  problem: ApiError | null;
}

/** One thing that a person lets the node do at a time, and why it was refused; `done` follows a success. */
export function useAct(done?: () => void): Act {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      done?.();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { act, busy, problem };
}
