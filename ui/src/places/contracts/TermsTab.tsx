import { useState } from "react";
import { ApiError, path, post } from "../../api/client";
import type { ContractDetail } from "../../api/types";
import { reloadAll } from "../../data/query";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { makesOffers, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { AcceptanceCard } from "./AcceptanceCard";

const x = t.terms;

interface Guarantee {
  level: string;
  formula: string;
  basis: string;
  rounding: { places: number | null; mode: string };
  bands: Record<string, unknown>;
  gaps: { rule: string; telemetry: string };
  burden_of_proof: string;
  deemed: { days: number; decision: string };
  exclusions: { kind: keyof typeof t.claims.kinds; budget_hours: string | null }[];
  malus: keyof typeof x.maluses;
}

interface Terms {
  guarantee: Guarantee | null;
  partners: { party: string; share: string }[];
  acceptance: "given" | "required" | { criteria: unknown[] };
  text: string;
  warranty?: { months: number };
}

/** What was agreed, who signed it, and whether the machines are accepted. */
export function TermsTab({ contract }: { contract: ContractDetail }) {
  const terms = contract.terms as unknown as Terms;
  const account = useAccount();
  const [problem, setProblem] = useState<ApiError | null>(null);
  const act = async (url: string, body: unknown): Promise<void> => {
    setProblem(null);
    try {
      await post(url, body);
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  const own = contract.you === "provider" ? contract.provider : contract.customer;
  return (
    <>
      {problem ? <Problem error={problem} /> : null}
      <div className="columns even">
        <div className="column">
          <Card title={x.signatures}>
            {[contract.provider, contract.customer].map((party) => {
              const signature = contract.signatures.find((one) => one.party === party);
              return (
                <p key={party}>
                  <strong>{party}</strong>{" "}
                  {signature ? (
                    <span className="weak">
                      {x.signed} <Time at={signature.at} /> ({signature.by})
                    </span>
                  ) : (
                    <span className="weak">{x.notSigned}</span>
                  )}
                </p>
              );
            })}
            {contract.you && !contract.signed_by.includes(own) ? (
              <button type="button" className="primary" onClick={() => void act(path`/contracts/${contract.id}/signatures`, { version: contract.version })}>
                {x.sign}
              </button>
            ) : null}
            <p className="weak">{x.signHint}</p>
            <p className="weak code wrap">{contract.digest}</p>
            <p>
              <a href={`/api/v1${path`/contracts/${contract.id}/document`}?version=${contract.version}`} target="_blank" rel="noreferrer">
                {x.document}
              </a>
            </p>
            <p>
              <a href={`/api/v1${path`/contracts/${contract.id}/file`}?version=${contract.version}`} download>
                {t.offer.file}
              </a>
            </p>
            {makesOffers(account) && contract.you === "provider" ? (
              <p>
                <Link place="offer" params={{ from: contract.id }}>
                  {t.offer.changeTerms}
                </Link>
              </p>
            ) : null}
          </Card>
          {terms.acceptance !== "given" ? <AcceptanceCard contract={contract} act={act} /> : null}
          {terms.text ? (
            <Card title={x.text}>
              <p>{terms.text}</p>
            </Card>
          ) : null}
        </div>
        <div className="column">
          <Card title={x.parties}>
            <Facts
              items={[
                [x.provider, contract.provider],
                [x.customer, contract.customer],
                ...(terms.partners ?? []).map((p): [string, string] => [x.partners, `${p.party}, ${x.share} ${p.share} %`]),
                [x.machines, contract.machines.join(", ")],
                ...(terms.warranty ? [[x.warranty, terms.acceptance === "given" ? x.warrantyGiven(terms.warranty.months) : x.warrantyMonths(terms.warranty.months)] as [string, string]] : []),
              ]}
            />
          </Card>
          {terms.guarantee ? <GuaranteeCard guarantee={terms.guarantee} /> : null}
        </div>
      </div>
      <details className="card">
        <summary>{x.whole}</summary>
        <pre className="code">{JSON.stringify(contract.terms, null, 2)}</pre>
      </details>
    </>
  );
}

function GuaranteeCard({ guarantee: g }: { guarantee: Guarantee }) {
  const band = Object.entries(g.bands)
    .filter(([, value]) => value !== null && typeof value !== "object")
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");
  return (
    <Card title={t.contractStatus.guarantee}>
      <Facts
        items={[
          [x.level, `${g.level} %`],
          [x.formula, `${g.formula}, ${g.basis}`],
          [x.rounding, g.rounding.places === null ? "–" : `${g.rounding.places} (${g.rounding.mode.replace("_", " ")})`],
          [x.credit, band],
          [x.malus, x.maluses[g.malus]],
          [x.gaps, `${g.gaps.rule.replace("_", " ")}, ${g.gaps.telemetry}`],
          [x.burden, g.burden_of_proof],
          [x.deemed, x.days(g.deemed.days, g.deemed.decision)],
          [x.exclusions, g.exclusions.map((e) => t.claims.kinds[e.kind] + (e.budget_hours ? ` (${x.hours(e.budget_hours)})` : "")).join(", ") || "–"],
        ]}
      />
    </Card>
  );
}
