import type { LineModelAnswer } from "../../api/types";
import { useJob, useJobs } from "../../data/jobs";
import { buildLineModel, type ComparisonPlan, comparisonOf, isWorking, type LineStation, type MetFigure, useLineModel } from "../../data/simulation";
import { useTwins } from "../../data/twins";
import { useAct } from "../../data/useAct";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Problem, Skeleton } from "../../parts/Feedback";
import { useParam } from "../../route/router";
import { mayPlan, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { formatNumber, formatRatio } from "../../time/figure";
import { ScenarioForm } from "./ScenarioForm";
import { ScenarioResult } from "./ScenarioResult";

const s = t.scenarios;

/** A line simulated: its model, how well that met the past, and what changes would bring. */
export default function Scenarios() {
  const twins = useTwins();
  return (
    <>
      <p className="weak">{s.lead}</p>
      <Loaded answer={twins} skeleton={<Skeleton lines={6} />}>
        {(found) => {
          const lines = found.filter((twin) => twin.kind === "line");
          return lines.length ? <Chosen lines={lines.map((line) => ({ id: line.id, title: line.title || line.id }))} /> : <Empty title={s.noLine}>{s.noLineHint}</Empty>;
        }}
      </Loaded>
    </>
  );
}

function Chosen({ lines }: { lines: { id: string; title: string }[] }) {
  const [wanted, choose] = useParam("line", lines[0]?.id ?? "");
  const line = lines.find((one) => one.id === wanted)?.id ?? lines[0]?.id ?? "";
  return (
    <>
      {lines.length > 1 ? (
        <label className="row">
          {s.line}
          <select value={line} onChange={(event) => choose(event.target.value)}>
            {lines.map((one) => (
              <option key={one.id} value={one.id}>
                {one.title}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <OneLine key={line} line={line} />
    </>
  );
}

function OneLine({ line }: { line: string }) {
  const answer = useLineModel(line);
  const jobs = useJobs({ service: "line_simulation", about: comparisonOf(line) });
  const job = useJob(jobs.data?.[0]?.id ?? null);
  const account = useAccount();
  const plan = (job.data?.plan ?? null) as ComparisonPlan | null;
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
      {(model) =>
        model === null ? (
          <Empty title={s.noModel}>
            {s.noModelHint} <Build line={line} reload={answer.reload} fresh />
          </Empty>
        ) : (
          <div className="scenario-page">
            <Model model={model} line={line} reload={answer.reload} />
            <Validation model={model} />
            {mayPlan(account) ? (
              <ScenarioForm line={line} stations={stationsOf(model)} asked={jobs.reload} busy={isWorking(job.data ?? null)} />
            ) : (
              <p className="weak">{s.mayNot}</p>
            )}
            {job.data ? <ScenarioResult job={job.data} plan={plan} /> : null}
          </div>
        )
      }
    </Loaded>
  );
}

const stationsOf = (model: LineModelAnswer): LineStation[] => (model.model.stations ?? []) as LineStation[];

function Build({ line, reload, fresh }: { line: string; reload: () => void; fresh?: boolean }) {
  const account = useAccount();
  const { act, busy, problem } = useAct(reload);
  if (!mayPlan(account)) return null;
  return (
    <>
      <button type="button" className={fresh ? "primary" : "plain"} disabled={busy} onClick={() => void act(() => buildLineModel(line))}>
        {busy ? s.building : fresh ? s.build : s.rebuild}
      </button>
      {problem ? <Problem error={problem} /> : null}
    </>
  );
}

function Model({ model, line, reload }: { model: LineModelAnswer; line: string; reload: () => void }) {
  const assumed = (model.model.assumed ?? []) as string[];
  return (
    <Card title={s.model} extra={<Build line={line} reload={reload} />}>
      <p className="weak">
        {s.built(model.revision)} · <Time at={model.at} precision="minute" /> · {model.by}
      </p>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="grid-box" tabIndex={0} role="group" aria-label={s.model}>
        <table className="grid">
          <thead>
            <tr>
              <th scope="col">{s.station}</th>
              <th scope="col">{s.machines}</th>
              <th scope="col">{s.places}</th>
              <th scope="col">{s.stops}</th>
            </tr>
          </thead>
          <tbody>
            {stationsOf(model).map((station) => (
              <tr key={station.id}>
                <td>
                  <strong>{station.id}</strong> <span className="weak">{(station.twins ?? []).join(", ")}</span>
                </td>
                <td className="num">{station.machines ?? 1}</td>
                <td className="num">{station.places ?? s.noLimit}</td>
                <td>{(station.stops ?? []).map((stop) => stop.name).join(", ") || s.noStops}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <details>
        <summary>{s.assumed(assumed.length)}</summary>
        <ul className="notes">
          {assumed.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </details>
    </Card>
  );
}

function Validation({ model }: { model: LineModelAnswer }) {
  const job = model.validation;
  const figures = ((job?.plan as { figures?: MetFigure[] } | null)?.figures ?? []).filter((one) => one.measured || one.predicted);
  return (
    <Card title={s.validation}>
      {job === null ? <p className="weak">{s.notValidated}</p> : null}
      {isWorking(job) ? <p role="status">{s.validating}</p> : null}
      {job?.faults.map((fault) => <p key={fault.code}>{fault.message}</p>)}
      {figures.length ? (
        <>
          <p className="weak">{s.validationNote}</p>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div className="grid-box" tabIndex={0} role="group" aria-label={s.validation}>
            <table className="grid">
              <thead>
                <tr>
                  <th scope="col">{s.figure}</th>
                  <th scope="col">{s.measured}</th>
                  <th scope="col">{s.predicted}</th>
                  <th scope="col">{s.error}</th>
                  <th scope="col">{s.range}</th>
                </tr>
              </thead>
              <tbody>
                {figures.map((one) => {
                  const digits = one.figure.endsWith("availability") ? 3 : 1;
                  return (
                    <tr key={one.figure}>
                      <td>{figureTitle(one.figure)}</td>
                      <td className="num">{formatNumber(one.measured, digits)}</td>
                      <td className="num">{formatNumber(one.predicted, digits)}</td>
                      <td className="num">{one.relative === null ? "–" : `${one.relative > 0 ? "+" : ""}${formatRatio(one.relative)} %`}</td>
                      <td>
                        <span className="num">
                          {formatNumber(one.low, digits)} – {formatNumber(one.high, digits)}
                        </span>{" "}
                        <span className={one.inside ? "weak" : "outcome-no"}>{one.inside ? s.inside : s.outside}</span>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </>
      ) : null}
    </Card>
  );
}

function figureTitle(figure: string): string {
  const at = figure.lastIndexOf(".");
  if (at < 0) return s.figures[figure] ?? figure;
  const name = figure.slice(at + 1);
  return s.ofStation(figure.slice(0, at), s.figures[name] ?? name);
}
