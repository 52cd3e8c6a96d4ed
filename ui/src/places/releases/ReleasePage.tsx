import { useState } from "react";
import type { Release } from "../../api/types";
import { askGate, isInGate, useRelease, withdrawRelease } from "../../data/releases";
import { useTwins } from "../../data/twins";
import { useAct } from "../../data/useAct";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Problem, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { GateSteps, STEPS } from "./GateSteps";
import { StateWord } from "./StateWord";

const r = t.releases;

/** One release: the checklist of its gate with evidence, and the statement that machines ask for. */
export function ReleasePage({ id }: { id: string }) {
  const answer = useRelease(id);
  if (answer.error?.status === 404) {
    return (
      <Empty title={r.notFound}>
        <Link place="releases">{r.title}</Link>
      </Empty>
    );
  }
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
      {(release) => (
        <>
          <header className="twin-head">
            <div>
              <p className="crumbs">
                <Link place="releases">{r.title}</Link>
              </p>
              <h1>{`${release.machine_type} ${release.version}`}</h1>
              <p className="twin-sub weak">{release.title}</p>
              <p role="status">
                <StateWord state={release.state} /> {r.means[release.state]}
                {release.withdrawn ? ` ${r.withdrawn(release.withdrawn.by)}: ${release.withdrawn.why}` : ""}
              </p>
            </div>
          </header>
          <div className="controller-columns even">
            <GateCard release={release} reload={answer.reload} />
            <div className="controller-side">
              <About release={release} />
              <StatementCard release={release} />
              {release.may_change && !release.withdrawn ? <TakeBack release={release} reload={answer.reload} /> : null}
            </div>
          </div>
          {release.gates.length > 1 ? (
            <Card title={r.earlier}>
              {release.gates.slice(1).map((gate) => (
                <details key={gate.id}>
                  <summary>
                    <StateWord state={gate.state} /> <Time at={gate.at} precision="minute" /> {r.by(gate.by)}
                  </summary>
                  <GateSteps gate={gate} release={release} />
                </details>
              ))}
            </Card>
          ) : null}
        </>
      )}
    </Loaded>
  );
}

function GateCard({ release, reload }: { release: Release; reload: () => void }) {
  const { act, busy, problem } = useAct(reload);
  const gate = release.gates[0];
  return (
    <Card title={r.gate} extra={gate ? <StateWord state={gate.state} /> : null}>
      {gate ? (
        <GateSteps gate={gate} release={release} />
      ) : (
        <>
          <p>{r.neverTried}</p>
          <ol className="gate-steps">
            {STEPS.map((name) => (
              <li key={name} className="gate-step-waits">
                <strong>{r.steps[name]}</strong>
                <p className="weak">{r.trying[name]}</p>
              </li>
            ))}
          </ol>
        </>
      )}
      {release.may_change && !release.withdrawn ? (
        <p className="gate-try">
          <button type="button" className={gate?.state === "passed" ? "plain" : "primary"} disabled={busy || isInGate(release)} onClick={() => void act(() => askGate(release.id))}>
            {gate ? r.try : r.tryFirst}
          </button>
        </p>
      ) : null}
      {release.may_change ? null : <p className="weak">{r.mayNot(release.party)}</p>}
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}

function About({ release }: { release: Release }) {
  const settings = Object.entries(release.settings).map(([command, values]) => `${command}: ${Object.entries(values).map(([name, value]) => `${name} ${String(value)}`).join(", ")}`);
  return (
    <Card title={r.about}>
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
          <p>{release.withdrawn ? r.statementBack : r.statementOn}</p>
          <p className="code break weak">{gate.statement}</p>
          <p>
            <a href={`/api/v1/releases/${encodeURIComponent(release.id)}/statement`} download>
              {r.download}
            </a>
          </p>
          {release.withdrawn ? null : <Machines release={release} />}
        </>
      ) : null}
    </Card>
  );
}

/** Where the update is sent from: the commands of the machines that it is for. */
function Machines({ release }: { release: Release }) {
  const machines = (useTwins().data ?? []).filter((twin) => twin.type?.split("@")[0] === release.machine_type);
  if (!machines.length) return null;
  return (
    <p>
      {r.installOn}{" "}
      {machines.map((twin, i) => (
        <span key={twin.id}>
          {i ? ", " : ""}
          <Link place={`machines/${twin.id}/commands`}>{twin.title || twin.id}</Link>
        </span>
      ))}
    </p>
  );
}

function TakeBack({ release, reload }: { release: Release; reload: () => void }) {
  const [why, setWhy] = useState("");
  const { act, busy, problem } = useAct(reload);
  return (
    <Card title={r.withdraw}>
      <p className="weak">{r.withdrawNote}</p>
      <form
        className="gate-back"
        onSubmit={(event) => {
          event.preventDefault();
          void act(() => withdrawRelease(release.id, why));
        }}
      >
        <label>
          {r.why}
          <input type="text" required maxLength={500} value={why} onChange={(event) => setWhy(event.target.value)} />
        </label>
        <button type="submit" className="plain" disabled={busy}>
          {r.withdraw}
        </button>
      </form>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
