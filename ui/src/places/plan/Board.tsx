import { useState } from "react";
import { ApiError } from "../../api/client";
import type { FaultShape, Job, PlacedOperation, Schedule, ScheduleLine, Schedules } from "../../api/types";
import { isOver, useJobs } from "../../data/jobs";
import { ASKED_BY_SHIFT, askSchedule, importSchedule, moveOperation, PUBLISHED, publishSchedule, useComparison, useSchedule, useSchedules } from "../../data/schedules";
import { useHappened } from "../../live/live";
import { Time, useZone } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { useParam } from "../../route/router";
import { mayPlan, useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatDuration, formatInstant, parseInstant, toRfc3339 } from "../../time/instant";
import { BoardTables } from "./BoardTables";
import { Gantt, keyOf } from "./Gantt";
import { OperationPanel } from "./OperationPanel";
import { PlanByItself } from "./PlanByItself";
import { PlanFiles } from "./PlanFiles";

const b = t.plan.board;

/** Production and maintenance in one picture: which plan holds, what another one would change, what is late and why. */
export default function Board() {
  const plans = useSchedules();
  const jobs = useJobs({ service: "schedule" });
  useHappened((event) => {
    if (event.kind === "plan" || event.kind === "job") {
      plans.reload();
      jobs.reload();
    }
  });
  return (
    <>
      <p className="weak">{b.lead}</p>
      <Loaded answer={plans} skeleton={<Skeleton height={420} />}>
        {(all) => <Chosen all={all} jobs={jobs.data ?? []} reload={() => [plans.reload(), jobs.reload()]} />}
      </Loaded>
    </>
  );
}

function Chosen({ all, jobs, reload }: { all: Schedules; jobs: Job[]; reload: () => void }) {
  const account = useAccount();
  const zone = useZone();
  const [id, setId] = useParam("plan", all.kept.some((one) => one.id === PUBLISHED) ? PUBLISHED : "");
  const [against, setAgainst] = useParam("against");
  const [zoom, setZoom] = useParam("zoom", "72");
  const [chosen, choose] = useState("");
  const [busy, setBusy] = useState(false);
  const [budget, setBudget] = useState("20");
  const [freeze, setFreeze] = useState("0");
  // What a shift asked for is open until a plan is published after it.
  const since = parseInstant(all.kept.find((one) => one.id === PUBLISHED)?.at ?? "");
  const asked = all.kept.filter((one) => one.id.startsWith(ASKED_BY_SHIFT) && parseInstant(one.at) > since);
  const made = jobs.filter((job) => job.plans > 0);
  const job = jobs.find((one) => one.id === id);
  const hand = all.kept.find((one) => one.id === id);
  const version = job ? job.plans : `${hand?.revision ?? 0}`;
  const plan = useSchedule(id || null, version);
  const other = useSchedule(against && against !== id ? against : null);
  const comparison = useComparison(against || null, id || null, version);
  const may = mayPlan(account);
  const failed = jobs[0]?.state === "failed" ? jobs[0] : undefined;
  const [refused, setRefused] = useState<FaultShape[]>([]);

  const options = [
    ...all.kept.map((one) => ({ id: one.id, title: titleOf(one) })),
    ...made.map((one) => ({ id: one.id, title: `${b.ofJob(formatInstant(parseInstant(one.at), zone, "minute"))}${isOver(one) ? "" : ` (${b.atWork})`}${one.why.length ? `: ${one.why[0]}` : ""}` })),
  ];
  const act = (work: Promise<string>): void => {
    setBusy(true);
    setRefused([]);
    work
      .then(
        (said) => notify(said, "success"),
        (error: unknown) => {
          if (!(error instanceof ApiError)) throw error;
          setRefused(error.faults.length ? error.faults : [error.fault]);
        },
      )
      .finally(() => {
        setBusy(false);
        reload();
      });
  };
  const show = (changed: string): void => {
    if (against === "" && id !== changed) setAgainst(id);
    setId(changed);
  };
  const how = { budget: Number(budget) || 20, freeze: Math.round(Number(freeze) * 60) || 0 };
  const ask = (): void =>
    act(
      askSchedule(how.budget, how.freeze).then((asked) => {
        if (id === PUBLISHED || id === "") setAgainst(id);
        setId(asked.id);
        return b.asked;
      }),
    );
  const publish = (): void =>
    act(
      publishSchedule(id, all.kept.find((one) => one.id === PUBLISHED)?.revision ?? 0).then(() => {
        setId(PUBLISHED);
        setAgainst("");
        return b.isPublished;
      }),
    );
  const move = (one: PlacedOperation, machine: string, start: number): void =>
    act(
      moveOperation(id, one.order, one.operation, machine, toRfc3339(start)).then((answer) => {
        show(answer.plan.id);
        return b.moved(answer.comparison.moved.length);
      }),
    );
  const bring = (file: File): void =>
    act(
      importSchedule(file, id).then((plan) => {
        show(plan.id);
        return b.brought;
      }),
    );

  return (
    <>
      <div className="board-bar">
        <Pick label={b.plan} value={id} options={id && !options.some((one) => one.id === id) ? [...options, { id, title: b.atWork }] : options} choose={setId} />
        <Pick label={b.against} value={against} options={[{ id: "", title: b.nothing }, ...options]} choose={setAgainst} />
        <Pick label={b.zoom} value={zoom} options={Object.entries(b.zooms).map(([key, title]) => ({ id: key, title }))} choose={setZoom} />
        {may ? (
          <>
            <Amount label={b.seconds} value={budget} change={setBudget} />
            <Amount label={b.freeze} value={freeze} change={setFreeze} />
            <button type="button" className="plain" disabled={busy} onClick={ask}>
              {b.ask}
            </button>
            <button type="button" className="primary" disabled={busy || id === "" || id === PUBLISHED || !plan.data} onClick={publish}>
              {b.publish}
            </button>
          </>
        ) : null}
      </div>
      <PlanByItself
        may={may}
        how={how}
        newest={jobs[0]}
        asked={asked}
        shown={id}
        why={plan.data?.id === id ? plan.data.why : []}
        compare={(proposal) => {
          setAgainst(PUBLISHED);
          setId(proposal);
        }}
      />
      {refused.length ? <Faults title={b.refused} faults={refused} /> : failed ? <Faults title={b.impossible} faults={failed.faults} /> : null}
      {id === "" ? (
        <Empty title={b.none}>{b.noneHint}</Empty>
      ) : job && job.plans === 0 && !isOver(job) ? (
        <Skeleton height={420} />
      ) : (
        <Loaded answer={plan} skeleton={<Skeleton height={420} />}>
          {(shown) => (
            <>
              <Figures plan={shown} moved={comparison.data?.moved.length} />
              <Gantt plan={shown} other={other.data} hours={Number(zoom)} chosen={chosen} choose={choose} move={may && !busy ? move : null} />
              <Legend />
              <OperationPanel plan={shown} one={shown.operations.find((one) => keyOf(one) === chosen)} move={may ? move : null} busy={busy} />
              <BoardTables plan={shown} comparison={against && against !== id ? comparison.data : undefined} />
              <PlanFiles plan={shown} bring={may && !busy ? bring : null} />
            </>
          )}
        </Loaded>
      )}
    </>
  );
}

function titleOf(plan: ScheduleLine): string {
  if (plan.id === PUBLISHED) return `${b.published}${plan.title ? `: ${plan.title}` : ""}`;
  if (plan.id.startsWith(ASKED_BY_SHIFT)) return `${b.ofShift}: ${plan.why.at(-1) ?? plan.note}`;
  return `${plan.id.startsWith("imported-") ? b.imported : b.byHand}: ${plan.note}`;
}

const FAULTS_SHOWN = 12;

/** What stands in the way, all of it, each with where it is and how to mend it. */
function Faults({ title, faults }: { title: string; faults: FaultShape[] }) {
  return (
    <div className="board-faults" role="alert">
      <strong>{title}</strong>
      <ul>
        {faults.slice(0, FAULTS_SHOWN).map((fault, n) => (
          <li key={`${fault.code} ${n}`}>
            {fault.line ? b.inLine(fault.line) : ""}
            {fault.message}. <span className="weak">{fault.hint}</span>
          </li>
        ))}
        {faults.length > FAULTS_SHOWN ? <li className="weak">{b.moreFaults(faults.length - FAULTS_SHOWN)}</li> : null}
      </ul>
    </div>
  );
}

function Pick({ label, value, options, choose }: { label: string; value: string; options: { id: string; title: string }[]; choose: (id: string) => void }) {
  return (
    <label className="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => choose(event.target.value)}>
        {options.map((one) => (
          <option key={one.id} value={one.id}>
            {one.title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Amount({ label, value, change }: { label: string; value: string; change: (value: string) => void }) {
  return (
    <label className="field board-amount">
      <span>{label}</span>
      <input type="number" min={0} max={600} value={value} onChange={(event) => change(event.target.value)} />
    </label>
  );
}

function Figures({ plan, moved }: { plan: Schedule; moved: number | undefined }) {
  const f = plan.figures;
  return (
    <dl className="board-figures">
      <div className={f.late_orders ? "board-late" : ""}>
        <dt>{b.figures.late}</dt>
        <dd className="num">
          {f.late_orders ? "▲ " : ""}
          {f.late_orders} / {plan.orders.length}
        </dd>
      </div>
      <div>
        <dt>{b.figures.lateness}</dt>
        <dd className="num">{formatDuration(f.lateness_s * 1000)}</dd>
      </div>
      <div>
        <dt>{b.figures.end}</dt>
        <dd>
          <Time at={parseInstant(plan.start) + f.makespan_s * 1000} precision="minute" />
        </dd>
      </div>
      <div>
        <dt>{b.figures.setup}</dt>
        <dd className="num">{formatDuration(f.setup_s * 1000)}</dd>
      </div>
      {moved === undefined ? null : (
        <div>
          <dt>{b.figures.moved}</dt>
          <dd className="num">{moved}</dd>
        </div>
      )}
    </dl>
  );
}

function Legend() {
  return (
    <ul className="board-legend weak" aria-hidden="true">
      <li>{b.legend.late}</li>
      <li>
        <span className="swatch setup" /> {b.legend.setup}
      </li>
      <li>
        <span className="swatch off" /> {b.legend.off}
      </li>
      <li>
        <span className="swatch blocked" /> {b.legend.blocked}
      </li>
      <li>
        <span className="swatch ghost" /> {b.legend.ghost}
      </li>
    </ul>
  );
}
