import type { JobDetail } from "../../api/types";
import { type ComparisonPlan, type Interval, isWorking, type ScenarioRow, type StationShares } from "../../data/simulation";
import { Card } from "../../parts/Card";
import { DotWhisker } from "../../parts/DotWhisker";
import { stackedBy } from "../../parts/stacked";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";

const s = t.scenarios;
const NONE: Interval = { mean: 0, low: 0, high: 0, clear: false };
const SHARES = ["working", "setup", "failed", "paused", "blocked", "starved", "closed"] as const;

/** What the scenarios bring: differences with intervals, money, and where each station's time goes. */
export function ScenarioResult({ job, plan }: { job: JobDetail; plan: ComparisonPlan | null }) {
  const rows = (plan?.scenarios ?? []).map((scenario) => ({ name: scenario.name, ...(scenario.differences.parts_per_hour ?? NONE) }));
  const told = rows.map((row) => s.row(row.name, signed(row.mean), signed(row.low), signed(row.high))).join("; ");
  return (
    <Card title={s.result}>
      <div role="status">
        {isWorking(job) ? <p>{s.comparing(plan?.replications ?? 0)}</p> : null}
        {job.faults.length ? (
          <p className="outcome-violated">
            {s.failed}: {job.faults.map((fault) => fault.message).join("; ")}
          </p>
        ) : null}
      </div>
      {plan ? (
        <>
          <p className="weak">{s.resultNote(plan.replications)}</p>
          <DotWhisker rows={rows} label={s.chart(told)} unit="1/h" />
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div className="grid-box" tabIndex={0} role="group" aria-label={s.result}>
            <table className="grid stacks" style={stackedBy([s.name, s.figures.parts_per_hour, s.figures.wip, s.figures.lead_time_s, s.perYear])}>
              <thead>
                <tr>
                  <th scope="col">{s.name}</th>
                  <th scope="col" className="right">{s.figures.parts_per_hour}</th>
                  <th scope="col" className="right">{s.figures.wip}</th>
                  <th scope="col" className="right">{s.figures.lead_time_s}</th>
                  <th scope="col" className="right">{s.perYear}</th>
                </tr>
              </thead>
              <tbody>
                <tr>
                  <td>{s.today}</td>
                  <td className="num right">{level(plan.base.figures.parts_per_hour)}</td>
                  <td className="num right">{level(plan.base.figures.wip)}</td>
                  <td className="num right">{level(plan.base.figures.lead_time_s, 0)}</td>
                  <td />
                </tr>
                {plan.scenarios.map((scenario) => (
                  <One key={scenario.name} scenario={scenario} />
                ))}
              </tbody>
            </table>
          </div>
          <h3>{s.where}</h3>
          <Shares title={s.today} stations={plan.base.stations} />
          {plan.scenarios.map((scenario) => (
            <Shares key={scenario.name} title={scenario.name} stations={scenario.stations} />
          ))}
          <p className="share-legend">
            {SHARES.map((share) => (
              <span key={share}>
                <i className={`share-${share}`} aria-hidden="true" /> {s.shares[share]}
              </span>
            ))}
          </p>
        </>
      ) : null}
    </Card>
  );
}

function One({ scenario }: { scenario: ScenarioRow }) {
  const { worth } = scenario;
  return (
    <tr>
      <td>{scenario.name}</td>
      <td className="num right">{change(scenario.differences.parts_per_hour)}</td>
      <td className="num right">{change(scenario.differences.wip)}</td>
      <td className="num right">{change(scenario.differences.lead_time_s, 0)}</td>
      <td className="num right">
        {worth ? (
          <>
            {formatNumber(Number(worth.per_year), 0)} {worth.currency}
            <div className="weak">
              {formatNumber(Number(worth.low), 0)} … {formatNumber(Number(worth.high), 0)}
            </div>
          </>
        ) : (
          "–"
        )}
      </td>
    </tr>
  );
}

function Shares({ title, stations }: { title: string; stations: readonly StationShares[] }) {
  return (
    <div className="share-group">
      <p className="weak">{title}</p>
      {stations.map((station) => (
        <div key={station.id} className="share-row">
          <span className="share-name">{station.id}</span>
          <span className="share-bar" role="img" aria-label={SHARES.map((share) => `${s.shares[share] ?? share} ${formatNumber(100 * station[share], 0)} %`).join(", ")}>
            {SHARES.map((share) => (
              <i key={share} className={`share-${share}`} style={{ flexGrow: station[share] }} />
            ))}
          </span>
          <span className="num weak">{formatNumber(100 * station.working, 0)} %</span>
        </div>
      ))}
    </div>
  );
}

const level = (one: Interval | undefined, digits = 1): string => (one ? formatNumber(one.mean, digits) : "–");
const signed = (value: number, digits = 2): string => `${value > 0 ? "+" : ""}${formatNumber(value, digits)}`;

function change(one: Interval | undefined, digits = 2) {
  if (!one) return "–";
  return (
    <>
      {signed(one.mean, digits)}
      <div className="weak">
        {signed(one.low, digits)} … {signed(one.high, digits)}
        {one.clear ? "" : ` · ${s.unclear}`}
      </div>
    </>
  );
}
