import type { Gate, Release } from "../../api/types";
import { Time } from "../../parts/Clock";
import { Link } from "../../route/router";
import { mayReadControllers, useAccount } from "../../session/session";
import { t } from "../../texts/en";

const r = t.releases;
export const STEPS = ["controller", "simulated", "replayed", "performance"] as const;

/** One passage through the gate: who asked, what each step found, what was asked for. */
export function GateSteps({ gate, release }: { gate: Gate; release: Release }) {
  const account = useAccount();
  const { policy } = gate;
  const steps = new Map(gate.steps.map((step) => [step.name, step]));
  const next = gate.state === "running" ? STEPS.find((name) => !steps.has(name)) : undefined;
  const over = gate.ended !== null;
  return (
    <>
      <p className="weak">
        {r.asked} <Time at={gate.at} precision="minute" /> {r.by(gate.by)}
        {gate.ended ? (
          <>
            {" · "}
            {r.ended} <Time at={gate.ended} precision="minute" />
          </>
        ) : null}
      </p>
      <ol className="gate-steps">
        {STEPS.map((name) => {
          const step = steps.get(name);
          const asked = policy.needs.includes(name);
          return (
            <li key={name} className={`gate-step-${asked ? (step?.outcome ?? "waits") : "aside"}`}>
              <p className="row">
                <strong>{r.steps[name]}</strong>
                <span className="gate-outcome">{step ? r.outcomes[step.outcome] : name === next ? r.isTried : over ? r.notReached : r.waits}</span>
                {asked ? null : <span className="weak">{r.notAsked}</span>}
              </p>
              {step ? <p>{step.says}</p> : name === next ? <p className="weak">{r.trying[name]}</p> : null}
              {step && name === "controller" && release.controller && mayReadControllers(account) ? (
                <p>
                  <Link place={`controllers/${release.controller}`}>{r.openController}</Link>
                </p>
              ) : null}
              {step?.found.length ? (
                <details>
                  <summary>{r.details(step.found.length)}</summary>
                  <ul className="notes">
                    {step.found.map((line) => (
                      <li key={line}>{line}</li>
                    ))}
                  </ul>
                </details>
              ) : null}
            </li>
          );
        })}
      </ol>
      {gate.fault ? (
        <p className="outcome-violated">
          {gate.fault.message}
          {gate.fault.hint ? `. ${gate.fault.hint}` : ""} <span className="weak code">{gate.fault.code}</span>
        </p>
      ) : null}
      <p className="weak">
        {r.policy}: {r.policyText(policy.runs, policy.hours, policy.recorded_hours, Math.round(100 * policy.worse_at_most))} {policy.accept_bounded ? r.bounded : r.proven}
      </p>
    </>
  );
}
