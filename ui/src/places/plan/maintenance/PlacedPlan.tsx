import { useState } from "react";
import type { MaintenancePlan, PlacedTask } from "../../../api/types";
import { isOver } from "../../../data/jobs";
import { askPlan, propose, useMaintenancePlan } from "../../../data/maintenance";
import { Card } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { Empty, Loaded, Problem, Skeleton } from "../../../parts/Feedback";
import { mayPlan, useAccount } from "../../../session/session";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { Board } from "./Board";

const p = t.maintenance.plan;
const money = (value: number): string => formatNumber(value, 2);

/** The newest plan: when each task, what it costs then and otherwise, and why. */
export function PlacedPlan() {
  const answer = useMaintenancePlan();
  const account = useAccount();
  const [busy, setBusy] = useState(false);
  const job = answer.data?.job ?? null;
  const working = busy || (job !== null && !isOver(job));
  const run = (what: () => Promise<unknown>): void => {
    setBusy(true);
    what()
      .then(answer.reload, (error: Error) => notify(error.message, "error"))
      .finally(() => setBusy(false));
  };
  const say = (): void => {
    if (job) run(() => propose(job.id).then((made) => notify(p.proposed(made.made.length, made.open_already.length), "success")));
  };
  const extra = mayPlan(account) ? (
    <div className="row">
      {working ? <span className="weak">{p.working(job?.plans ?? 0)}</span> : null}
      <button type="button" className="plain" disabled={working} onClick={() => run(askPlan)}>
        {job ? p.again : p.make}
      </button>
      {answer.data?.placed.length ? (
        <button type="button" className="primary" disabled={working} onClick={say}>
          {p.propose}
        </button>
      ) : null}
    </div>
  ) : null;
  return (
    <Card title={p.title} extra={extra}>
      <Loaded answer={answer} skeleton={<Skeleton lines={6} />}>
        {(plan) =>
          plan.cost === null ? (
            <>
              {job?.faults.map((fault) => (
                <p key={fault.code + fault.where}>{fault.message}</p>
              ))}
              <Empty title={p.none}>{p.noneHint}</Empty>
            </>
          ) : (
            <Plan plan={plan} />
          )
        }
      </Loaded>
      {answer.error && answer.data === undefined ? <Problem error={answer.error} retry={answer.reload} /> : null}
    </Card>
  );
}

function Plan({ plan }: { plan: MaintenancePlan }) {
  const shared = new Map(plan.visits.flatMap((visit) => visit.tasks.map((task) => [task, visit.tasks.length] as const)));
  const cost = plan.cost ?? 0;
  const figures: [string, string][] = [
    [p.total, `${money(cost)} ${plan.currency}`],
    [p.atOnce, `${money(plan.at_once ?? 0)} ${plan.currency}`],
    [p.saved, `${money((plan.at_once ?? 0) - cost)} ${plan.currency}`],
    [p.bound, plan.job?.bound === null || plan.job === null ? "–" : `${money(plan.job.bound)} ${plan.currency}`],
  ];
  return (
    <>
      <dl className="plan-figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
      <Board plan={plan} />
      <ul className="placed">
        {plan.placed.map((task) => (
          <Placed key={task.task} task={task} shares={shared.get(task.task) ?? 1} currency={plan.currency} />
        ))}
      </ul>
      {plan.left_out.length ? (
        <>
          <h3>{p.leftOut}</h3>
          <ul className="placed">
            {plan.left_out.map((left) => (
              <li key={left.id}>
                <strong>{left.title || left.id}</strong> <span>{left.why}</span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </>
  );
}

function Placed({ task, shares, currency }: { task: PlacedTask; shares: number; currency: string }) {
  return (
    <li>
      <div className="placed-head">
        <span>
          <strong>{task.title}</strong> <span className="weak">{task.twin}</span>
        </span>
        <Time at={task.from} precision="minute" zone />
        <span className="weak">{task.technician}</span>
        {shares > 1 ? <span className="pill quiet">{p.shares(shares)}</span> : null}
      </div>
      <dl className="costs">
        {(
          [
            [p.col.here, task.chosen.cost],
            [p.col.now, task.at_once.cost],
            [p.col.last, task.at_last.cost],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">
              {money(value)} {currency}
            </dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>{p.why}</summary>
        <p className="weak">{p.parts(money(task.chosen.lost), money(task.chosen.risk), money(task.chosen.labour))}</p>
        <ul>
          {task.why.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      </details>
    </li>
  );
}
