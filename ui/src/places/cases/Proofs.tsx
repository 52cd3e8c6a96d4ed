import { useEffect, useRef, useState } from "react";
import { ApiError, getFile } from "../../api/client";
import type { CaseDetail, CaseProof } from "../../api/types";
import { Card } from "../../parts/Card";
import { Problem } from "../../parts/Feedback";
import { ProofOutcome } from "../../proof/ProofOutcome";
import { useProofCheck } from "../../proof/useProofCheck";
import { Link } from "../../route/router";
import { t } from "../../texts/en";

const c = t.case;

/** What can be handed to somebody who does not trust this page. */
export function Proofs({ one }: { one: CaseDetail }) {
  return (
    <Card title={c.proofs}>
      <ul className="proofs">
        {one.proofs.map((proof) => (
          <li key={proof.kind}>
            <strong>{c.proofKinds[proof.kind]}</strong>
            {proof.ready ? <Ready proof={proof} /> : <NotReady proof={proof} missing={one.progress?.missing ?? ""} />}
          </li>
        ))}
      </ul>
      <p className="weak">
        {c.fileHint} <span className="code">{c.verifyCommand}</span> · <Link place="verify">{t.verifyPage.link}</Link>
      </p>
    </Card>
  );
}

type Wanted = "file" | "certificate" | "check";

/** The file, its certificate, and a check of it here; the node may need a while to make it, or say why it cannot yet. */
function Ready({ proof }: { proof: CaseProof }) {
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const [failed, setFailed] = useState<{ error: ApiError; what: Wanted } | null>(null);
  const checking = useProofCheck();
  const asked = useRef<AbortController>(null);
  useEffect(() => () => asked.current?.abort(), []);
  const fetchIt = async (what: Wanted): Promise<void> => {
    asked.current?.abort();
    const mine = new AbortController();
    asked.current = mine;
    setWanted(what);
    setFailed(null);
    checking.forget();
    try {
      const file = await getFile(what === "certificate" ? proof.certificate : proof.file, mine.signal);
      if (what === "check") void checking.run(file.content);
      else keep(file);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      setFailed({ error, what });
    } finally {
      if (asked.current === mine) setWanted(null);
    }
  };
  const link = (what: "file" | "certificate", text: string) => (
    <a
      className="plain"
      href={proof[what]}
      download
      aria-disabled={wanted !== null}
      onClick={(event) => {
        event.preventDefault();
        if (wanted === null) void fetchIt(what);
      }}
    >
      {text}
    </a>
  );
  return (
    <>
      <span className="row">
        {link("file", c.file)}
        {link("certificate", c.certificate)}
        <button type="button" className="plain" disabled={wanted !== null || checking.busy} onClick={() => void fetchIt("check")}>
          {t.browserProof.verify}
        </button>
      </span>
      {wanted ? <Making /> : null}
      {failed ? <Problem error={failed.error} retry={() => void fetchIt(failed.what)} /> : null}
      <ProofOutcome checking={checking} />
    </>
  );
}

/** How long the node has been making it: the first answer waits until its observations are bound. */
function Making() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setSeconds((s) => s + 1), 1000);
    return () => window.clearInterval(timer);
  }, []);
  const text = t.browserProof.making(seconds);
  return (
    <div className="making">
      <progress aria-label={text} />
      <span className="weak num">{text}</span>
    </div>
  );
}

/** Saves a fetched file under the name that the node gave it. */
function keep({ content, name, type }: { content: Uint8Array<ArrayBuffer>; name: string; type: string }): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function NotReady({ proof, missing }: { proof: CaseProof; missing: string }) {
  const why = `proof-${proof.kind}-why`;
  return (
    <>
      <span className="row">
        <button type="button" className="plain" disabled aria-describedby={why}>
          {c.file}
        </button>
        <button type="button" className="plain" disabled aria-describedby={why}>
          {c.certificate}
        </button>
      </span>
      <p id={why} className="weak">
        {c.notReady[proof.kind]} {proof.kind === "repaired" && missing ? `${c.stillMissing}: ${missing}.` : ""}
      </p>
    </>
  );
}
