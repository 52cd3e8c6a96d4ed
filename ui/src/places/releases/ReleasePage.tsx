import { IxContentHeader } from "@siemens/ix-react";
import { useState } from "react";
import { ApiError } from "../../api/client";
import type { Gate, Release } from "../../api/types";
import { askGate, isInGate, useRelease, withdrawRelease } from "../../data/releases";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded, Problem, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { StateWord } from "./StateWord";

const r = t.releases;
const STEPS = ["controller", "simulated", "replayed", "performance"] as const;

/** One release: the checklist of its gate with evidence, and the statement that machines ask for. */
export function ReleasePage({ id }: { id: string }) {
  const answer = useRelease(id);
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
      {(release) => (
        <>
          <IxContentHeader headerTitle={`${release.machine_type} ${release.version}`} headerSubtitle={release.title} />
          <p>
            <StateWord state={release.state} />{" "}
            {release.withdrawn ? (
              <span className="weak">
                {r.withdrawn(release.withdrawn.by)}: {release.withdrawn.why}
              </span>
            ) : null}
          </p>
          <div className="controller-columns even">
            {release.gates[0] ? <GateCard gate={release.gates[0]} release={release} /> : null}
            <div className="controller-side">
              <About release={release} />
              <StatementCard release={release} />
              {release.may_change ? <Acts release={release} reload={answer.reload} /> : null}
            </div>
          </div>
          {release.gates.length > 1 ? (
            <Card title={r.earlier}>
              <ul className="notes">
                {release.gates.slice(1).map((gate) => (
                  <li key={gate.id}>
                    <StateWord state={gate.state} /> <Time at={gate.at} precision="minute" /> {r.by(gate.by)}
                  </li>
                ))}
              </ul>
            </Card>
          ) : null}
        </>
      )}
    </Loaded>
  );
}

function GateCard({ gate, release }: { gate: Gate; release: Release }) {
  const { policy } = gate;
  const steps = new Map(gate.steps.map((step) => [step.name, step]));
  return (
    <Card title={r.gate} extra={<StateWord state={gate.state} />}>
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
          const needed = policy.needs.includes(name);
          return (
            <li key={name} className={`gate-step-${step?.outcome ?? "waits"}`}>
              <p className="row">
                <strong>{r.steps[name]}</strong>
                <span className="gate-outcome">{step ? r.outcomes[step.outcome] : r.waits}</span>
                {needed ? null : <span className="weak">{r.notAsked}</span>}
              </p>
              {step ? <p>{step.says}</p> : null}
              {step && name === "controller" && release.controller ? (
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
      {gate.fault ? <p className="outcome-violated">{gate.fault.message}</p> : null}
      <p className="weak">
        {r.policy}: {r.policyText(policy.runs, policy.hours, policy.recorded_hours, Math.round(100 * policy.worse_at_most))} {policy.accept_bounded ? r.bounded : ""}
      </p>
    </Card>
  );
}

function About({ release }: { release: Release }) {
  const settings = Object.entries(release.settings).map(([command, values]) => `${command}: ${Object.entries(values).map(([name, value]) => `${name} ${String(value)}`).join(", ")}`);
  return (
    <Card>
      <Facts
        items={[
          [r.col.of, r.type(release.machine_type, release.type_version)],
          [r.package, <span className="code break">{release.artefact}</span>],
          [r.settings, settings.join("; ") || r.noSettings],
          [r.party, release.party],
          [
            r.col.by,
            <>
              <Time at={release.at} precision="minute" /> {r.by(release.by)}
            </>,
          ],
        ]}
      />
    </Card>
  );
}

function StatementCard({ release }: { release: Release }) {
  const gate = release.gates.find((one) => one.statement);
  return (
    <Card title={r.statement}>
      {!gate ? <p>{r.statementNone}</p> : null}
      {gate && !gate.logged ? <p role="status">{r.statementWaits}</p> : null}
      {gate?.logged ? (
        <>
          <p>{r.statementOn}</p>
          <p className="code break weak">{gate.statement}</p>
          <p>
            <a href={`/api/v1/releases/${encodeURIComponent(release.id)}/statement`} download>
              {r.download}
            </a>
          </p>
        </>
      ) : null}
    </Card>
  );
}

function Acts({ release, reload }: { release: Release; reload: () => void }) {
  const [why, setWhy] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    setProblem(null);
    try {
      await work();
      reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  if (release.withdrawn) return null;
  return (
    <Card>
      <div className="gate-acts">
        <button type="button" className="primary" disabled={isInGate(release)} onClick={() => void act(() => askGate(release.id))}>
          {release.gates.length ? r.try : r.tryFirst}
        </button>
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault();
            void act(() => withdrawRelease(release.id, why));
          }}
        >
          <label>
            {r.why}
            <input type="text" required maxLength={500} value={why} onChange={(event) => setWhy(event.target.value)} />
          </label>
          <button type="submit" className="plain">
            {r.withdraw}
          </button>
        </form>
      </div>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
