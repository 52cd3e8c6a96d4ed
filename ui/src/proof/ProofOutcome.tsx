import { Facts } from "../parts/Card";
import { t } from "../texts/en";
import type { Checking } from "./useProofCheck";
import type { ProofCheck, ProofClaim } from "./verifyProof";

const b = t.browserProof;

/** A check as it runs and what came of it, told to screen readers too. */
export function ProofOutcome({ checking }: { checking: Checking }) {
  const { busy, check, unable } = checking;
  return (
    <div role="status" className="proof-outcome">
      {busy ? <p className="weak">{b.checking}</p> : null}
      {unable ? (
        <p className="field-problem">
          {b.noCrypto} <code className="code">{t.case.verifyCommand}</code>
        </p>
      ) : null}
      {check ? check.ok ? <Passed check={check} /> : <Refused check={check} /> : null}
    </div>
  );
}

function Refused({ check }: { check: ProofCheck }) {
  return (
    <>
      <p className="field-problem">
        ✕ {b.refused}: {check.message}
      </p>
      <p className="weak code">{[check.code, check.where].filter(Boolean).join(" · ")}</p>
      <p>{b.refusedMeans}</p>
    </>
  );
}

/** What the check shows and what it does not show, in words. */
function Passed({ check }: { check: ProofCheck }) {
  const cosigned = check.cosignedBy.filter((party) => party !== check.sealedBy);
  const shown = [
    b.shows.form,
    b.shows.seal(check.sealedBy),
    b.shows.signatures(check.statements),
    b.shows.log(check.statements, check.logSize),
    ...(cosigned.length ? [b.shows.cosigned(cosigned.join(", "))] : []),
    ...(check.whoKnown ? [b.shows.known] : []),
  ];
  const open = [...(check.whoKnown ? [] : [b.open.who]), ...(cosigned.length ? [] : [b.open.cosigned]), b.open.formula];
  return (
    <>
      <p className="proof-passed">✓ {b.ok}</p>
      {check.claim ? <Claimed claim={check.claim} /> : null}
      <h3>{b.shown}</h3>
      <ul className="proof-lines">
        {shown.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <h3>{b.notShown}</h3>
      <ul className="proof-lines open">
        {open.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p>
        {b.rest} <code className="code">{t.case.verifyCommand}</code>
      </p>
    </>
  );
}

function Claimed({ claim }: { claim: ProofClaim }) {
  const kinds: Record<string, string> = t.case.proofKinds;
  const verdicts: Record<string, string> = t.verdicts;
  return (
    <>
      <h3>{b.claimed}</h3>
      <Facts
        items={[
          [b.claim.kind, kinds[claim.kind] ?? claim.kind],
          [b.claim.machine, [claim.machine, claim.serial].filter(Boolean).join(", ")],
          [b.claim.requirement, claim.requirement],
          [b.claim.verdict, verdicts[claim.verdict] ?? claim.verdict],
          [b.claim.from, claim.from],
          [b.claim.to, claim.to],
        ]}
      />
    </>
  );
}
