import { useCallback, useRef, useState } from "react";
import { type ProofCheck, type PublicKeyRow, verifyProof } from "./verifyProof";

/** A check that runs in this browser; a later one replaces an earlier one that still runs. */
export interface Checking {
  busy: boolean;
  check: ProofCheck | null;
  /** Whether this browser has no means to check. */
  unable: boolean;
  run: (content: Uint8Array, keys?: PublicKeyRow[]) => Promise<void>;
  forget: () => void;
}

export function useProofCheck(): Checking {
  const [busy, setBusy] = useState(false);
  const [check, setCheck] = useState<ProofCheck | null>(null);
  const [unable, setUnable] = useState(false);
  const turn = useRef(0);
  const forget = useCallback(() => {
    turn.current += 1;
    setBusy(false);
    setCheck(null);
    setUnable(false);
  }, []);
  const run = useCallback(
    async (content: Uint8Array, keys: PublicKeyRow[] = []) => {
      forget();
      const mine = turn.current;
      setBusy(true);
      try {
        const found = await verifyProof(content, keys);
        if (mine === turn.current) setCheck(found);
      } catch {
        // What a file holds never throws: the browser lacks Ed25519, or gives no cryptography to this page.
        if (mine === turn.current) setUnable(true);
      } finally {
        if (mine === turn.current) setBusy(false);
      }
    },
    [forget],
  );
  return { busy, check, unable, run, forget };
}
