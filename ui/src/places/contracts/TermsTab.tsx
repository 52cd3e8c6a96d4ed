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
import { type Guarantee, GuaranteeCard, type Price, PriceCard } from "./TermCards";

const x = t.terms;

interface Terms {
  start: string;
  end: string;
  time_zone: string;
  price: Price;
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
  const period = { from: terms.start, to: terms.end, zone: terms.time_zone };
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
            {contract.withdrawal ? (
              <p>
                <strong>{(contract.signed_by.includes(contract.withdrawal.party) ? x.tookBack : x.declined)(contract.withdrawal.party)}</strong>{" "}
                <span className="weak">
                  <Time at={contract.withdrawal.at} /> ({contract.withdrawal.by})
                </span>
                {contract.withdrawal.text ? <q className="block">{contract.withdrawal.text}</q> : null}
              </p>
            ) : null}
            {contract.you && !contract.withdrawal && !contract.signed_by.includes(own) ? (
              <button type="button" className="primary" onClick={() => void act(path`/contracts/${contract.id}/signatures`, { version: contract.version })}>
                {x.sign}
              </button>
            ) : null}
            {contract.you && contract.life === "offered" ? (
              <EndOffer
                title={contract.signed_by.includes(own) ? x.takeBack : x.decline}
                end={(text) => void act(path`/contracts/${contract.id}/withdrawal`, { version: contract.version, text })}
              />
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
                [x.period, x.until(period.from, period.to, period.zone)],
                ...(terms.warranty ? [[x.warranty, terms.acceptance === "given" ? x.warrantyGiven(terms.warranty.months) : x.warrantyMonths(terms.warranty.months)] as [string, string]] : []),
              ]}
            />
          </Card>
          <PriceCard price={terms.price} currency={contract.currency} />
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

/** Ends an offer in two steps, so that a slip of the finger does not. */
function EndOffer({ title, end }: { title: string; end: (text: string) => void }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  if (!open) {
    return (
      <button type="button" className="plain" onClick={() => setOpen(true)}>
        {title} …
      </button>
    );
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        end(text);
      }}
    >
      <label className="field">
        {x.why}
        <input value={text} maxLength={1000} onChange={(event) => setText(event.target.value)} />
      </label>
      <p className="toolbar">
        <button type="submit" className="primary">
          {title}
        </button>
        <button type="button" className="plain" onClick={() => setOpen(false)}>
          {x.keepOffer}
        </button>
      </p>
    </form>
  );
}
