import { useState } from "react";
import { Facts } from "../../parts/Card";
import { t } from "../../texts/en";

const b = t.browserProof;

/** What the check of a proof file answers. */
export interface BrowserCheck {
  ok: boolean;
  /** Whether the signers are known from keys that the reader brought. */
  whoKnown: boolean;
  statements: number;
  logSize: number;
  sealedBy: string;
  cosignedBy: string[];
  code: string;
  message: string;
  where: string;
}

/** Fetches a proof file and checks it in the browser, so that the node is not taken at its word. */
export function BrowserVerification({ file, verify }: { file: string; verify: (content: Uint8Array) => Promise<BrowserCheck> }) {
  const [busy, setBusy] = useState(false);
  const [check, setCheck] = useState<BrowserCheck | null>(null);
  const [failed, setFailed] = useState("");
  const run = async (): Promise<void> => {
    setBusy(true);
    setFailed("");
    setCheck(null);
    try {
      const answer = await fetch(file, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      setCheck(await verify(new Uint8Array(await answer.arrayBuffer())));
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="stack">
      <button type="button" className="plain" disabled={busy} onClick={() => void run()}>
        {busy ? b.busy : b.verify}
      </button>
      <div role="status">
        {failed ? <p className="field-problem">{failed}</p> : null}
        {check ? <Outcome check={check} /> : null}
      </div>
    </div>
  );
}

function Outcome({ check }: { check: BrowserCheck }) {
  if (!check.ok) {
    return (
      <p className="field-problem">
        ✕ {b.refused}: {check.message} <span className="weak code">{[check.code, check.where].filter(Boolean).join(" · ")}</span>
      </p>
    );
  }
  return (
    <>
      <p className="strong">✓ {b.ok}</p>
      {check.whoKnown ? null : <p className="note">{b.whoUnknown}</p>}
      <Facts
        items={[
          [b.statements, check.statements],
          [b.log, check.logSize],
          [b.sealedBy, check.sealedBy || "–"],
          [b.cosignedBy, check.cosignedBy.join(", ") || "–"],
        ]}
      />
      <p className="weak">
        {b.rest} <span className="code">{t.case.verifyCommand}</span>.
      </p>
    </>
  );
}
