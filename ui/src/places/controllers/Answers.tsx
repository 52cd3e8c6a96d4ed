import type { ControllerAnswer, ControllerCheck, ControllerDetail } from "../../api/types";
import { Card } from "../../parts/Card";
import { t } from "../../texts/en";
import { SeverityMark } from "../cases/marks";
import { AnswerMark } from "./marks";

const c = t.controllers.answers;

interface AnswersProps {
  controller: ControllerDetail;
  check: ControllerCheck | null;
  show: (run: string) => void;
  shown: string;
}

/** Every property with what is known of it, and beside it how well the model fits the machine. */
export function Answers({ controller, check, show, shown }: AnswersProps) {
  const answers = new Map((check?.report?.answers ?? []).map((one) => [one.name, one]));
  const fit = check?.conformance ? c.explained(check.conformance.explained, check.conformance.changes, check.conformance.twin) : c.notCompared;
  return (
    <Card title={c.title}>
      {controller.declared.length === 0 ? <p className="weak">{c.none}</p> : null}
      <ul className="answers">
        {controller.declared.map((property) => {
          const answer = answers.get(property.name);
          return (
            <li key={property.name} className={answer ? `outcome-edge-${answer.outcome.split(" ")[0]}` : ""}>
              <p className="strong">{property.text || property.name}</p>
              <p className="row">
                {answer ? <AnswerMark answer={answer} /> : <span className="weak">{t.controllers.notChecked}</span>}
                <SeverityMark severity={property.severity} />
              </p>
              {answer ? <Why answer={answer} /> : null}
              <p className="weak code">{property.formula}</p>
              {answer ? (
                <p className="weak">
                  {c.fit}: {fit}
                </p>
              ) : null}
              {answer?.counterexample ? (
                <button type="button" className="plain" aria-pressed={shown === property.name} onClick={() => show(property.name)}>
                  {c.show}
                </button>
              ) : null}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function Why({ answer }: { answer: ControllerAnswer }) {
  const { proof, counterexample } = answer;
  return (
    <>
      {answer.vacuous ? <p className="outcome-no">{c.vacuous}</p> : null}
      {counterexample ? <p className="weak">{[counterexample.shortest ? c.shortest : "", c.replayed].filter(Boolean).join("; ")}</p> : null}
      {proof ? <p className="weak">{c.rechecked(proof.rechecked)}</p> : null}
      {proof?.invariant.length ? (
        <details>
          <summary>
            {c.invariant} ({proof.invariant.length})
          </summary>
          <ul className="code invariant">
            {proof.invariant.map((clause) => (
              <li key={clause}>{clause}</li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  );
}
