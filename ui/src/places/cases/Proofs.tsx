import type { CaseDetail, CaseProof } from "../../api/types";
import { Card } from "../../parts/Card";
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
            <Links proof={proof} missing={one.progress?.missing ?? ""} />
          </li>
        ))}
      </ul>
      <p className="weak">
        {c.fileHint} <span className="code">{c.verifyCommand}</span>
      </p>
    </Card>
  );
}

function Links({ proof, missing }: { proof: CaseProof; missing: string }) {
  if (proof.ready) {
    return (
      <span className="row">
        <a className="plain" href={proof.file} download>
          {c.file}
        </a>
        <a className="plain" href={proof.certificate} target="_blank" rel="noreferrer">
          {c.certificate}
        </a>
      </span>
    );
  }
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
