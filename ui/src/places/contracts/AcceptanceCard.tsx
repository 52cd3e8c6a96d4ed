import { useState } from "react";
import { get, path } from "../../api/client";
import type { AcceptanceOf, ContractDetail, CriterionOf } from "../../api/types";
import { useQuery } from "../../data/query";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { t } from "../../texts/en";

const x = t.acceptance;
type Act = (url: string, body: unknown) => Promise<void>;
type Result = CriterionOf["result"];
interface Judged {
  result: Result;
  evidence: string;
}
interface StepSaid {
  number: number;
  party: string;
  by: string;
  at: string;
  answer: "accepted" | "refused";
  criteria?: [string, Result, string][];
  text?: string;
  measured?: { name: string; value: string | null; provenance: string }[];
}

/** Whether each machine is accepted, what was said of it, and the criteria with what the twin measured. */
export function AcceptanceCard({ contract, act }: { contract: ContractDetail; act: Act }) {
  const answer = useQuery(`acceptances ${contract.id}`, (signal) => get<AcceptanceOf[]>(path`/contracts/${contract.id}/acceptances`, {}, signal));
  return (
    <Card title={x.title}>
      <Loaded answer={answer}>{(machines) => machines.map((one) => <Machine key={one.twin} one={one} contract={contract} act={act} />)}</Loaded>
    </Card>
  );
}

function Machine({ one, contract, act }: { one: AcceptanceOf; contract: ContractDetail; act: Act }) {
  const steps = one.steps as unknown as StepSaid[];
  return (
    <section className="acceptance">
      <p>
        <strong>{one.twin}</strong>{" "}
        {one.accepted_at ? (
          <span className="weak">
            {x.accepted} <Time at={one.accepted_at} />
            {one.accepted_by ? ` ${x.byVersion(one.accepted_by)}` : ""}
          </span>
        ) : (
          <span className="weak">{x.notAccepted}</span>
        )}
      </p>
      {one.other_criteria ? <p className="weak">{x.otherCriteria}</p> : null}
      {one.warranty_until ? (
        <p>
          {x.warrantyUntil} <Time at={one.warranty_until} precision="day" />
        </p>
      ) : null}
      {steps.map((step) => (
        <p className="weak" key={step.number}>
          <Time at={step.at} /> · {x.said(step.party, step.answer)} {step.text ?? ""}
          {openPoints(step).map(([name, , left]) => (
            <span className="open-point" key={name}>
              {x.openPoint(name, left)}
            </span>
          ))}
          {(step.measured ?? []).map((one) => (
            <span className="open-point" key={one.name}>
              {one.name}: <Figure text={one.value ?? x.results.open} source={{ url: one.provenance, title: one.name }} />
            </span>
          ))}
        </p>
      ))}
      {contract.you && !one.accepted_at ? <Judge twin={one.twin} contract={contract} act={act} /> : null}
    </section>
  );
}

function openPoints(step: StepSaid): [string, Result, string][] {
  return step.answer === "accepted" ? (step.criteria ?? []).filter(([, result]) => result === "open") : [];
}

/** The criteria with what the twin measures of them, and a party's word. */
function Judge({ twin, contract, act }: { twin: string; contract: ContractDetail; act: Act }) {
  const [until, setUntil] = useState("");
  const [judged, setJudged] = useState<Record<string, Judged>>({});
  const end = until === "" ? undefined : `${until}:00Z`;
  const answer = useQuery(`criteria ${contract.id} ${twin} ${end ?? ""}`, (signal) => get<CriterionOf[]>(path`/contracts/${contract.id}/acceptances/${twin}/criteria`, { until: end }, signal));
  const say = (word: "accepted" | "refused"): void => {
    const criteria = Object.entries(judged).map(([name, one]) => [name, one.result, one.evidence]);
    void act(path`/contracts/${contract.id}/acceptances`, { twin, answer: word, criteria, until: end ?? null });
  };
  const judge = (name: string, change: Partial<Judged>): void => setJudged((all) => ({ ...all, [name]: { result: "open", evidence: "", ...all[name], ...change } }));
  return (
    <>
      <Loaded answer={answer}>
        {(criteria) =>
          criteria.length ? (
            <>
              <label className="field inline">
                <span>{x.until}</span>
                <input type="datetime-local" value={until} onChange={(e) => setUntil(e.target.value)} />
              </label>
              <ul className="criteria">
                {criteria.map((one) => (
                  <li key={one.name}>
                    <span className="weak">{x.steps[one.step]}</span> <strong>{one.name}</strong>
                    {one.measured ? (
                      <span className="criterion-result">
                        <span className={one.result === "passed" ? "pill quiet" : one.result === "failed" ? "pill fault" : "pill warning"}>{x.results[one.result]}</span> <span className="weak num">{one.evidence}</span>
                      </span>
                    ) : (
                      <span className="criterion-result">
                        <select aria-label={x.resultOf(one.name)} value={judged[one.name]?.result ?? "open"} onChange={(e) => judge(one.name, { result: e.target.value as Result })}>
                          {(["open", "passed", "failed"] as const).map((result) => (
                            <option key={result} value={result}>
                              {x.results[result]}
                            </option>
                          ))}
                        </select>
                        <input type="text" aria-label={x.evidenceOf(one.name)} placeholder={judged[one.name]?.result === "passed" ? x.evidence : x.left} value={judged[one.name]?.evidence ?? ""} onChange={(e) => judge(one.name, { evidence: e.target.value })} maxLength={500} />
                      </span>
                    )}
                  </li>
                ))}
              </ul>
            </>
          ) : null
        }
      </Loaded>
      <div className="row">
        <button type="button" className="primary" onClick={() => say("accepted")}>
          {x.accept}
        </button>
        <button type="button" className="plain" onClick={() => say("refused")}>
          {x.refuse}
        </button>
      </div>
    </>
  );
}
