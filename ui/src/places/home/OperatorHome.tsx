import { useMemo } from "react";
import type { TwinDetail, TwinState, TwinSummary } from "../../api/types";
import { useCases } from "../../data/cases";
import { useAsOfText, useTwin, useTwins, useTwinState } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { useLiveValues } from "../../live/live";
import { Since } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { MachineOptions } from "../../parts/MachineOptions";
import { Sparkline } from "../../parts/Sparkline";
import { GLYPHS, stateName, toneOf, urgency } from "../../parts/states";
import { StateMark } from "../../parts/StateMark";
import { Link, useParam } from "../../route/router";
import { maySayRoutine, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { decimalsFor, formatNumber, unitText } from "../../time/figure";
import { heldValues, isStale, sideOf } from "../twin/held";
import { OpenCasesLine } from "../cases/OpenCasesLine";
import { NextInPlan } from "./NextInPlan";
import { ReasonEntry } from "./ReasonEntry";
import { RoutineEntry } from "./RoutineEntry";
import { AlarmRow } from "../twin/Overview";
import { useTrends } from "../twin/useTrends";
import { useToday } from "./ManagerHome";
import { madeOf } from "./production";
import { closeness } from "./closeness";

const o = t.operator;
const SHOWN = 4;

/** One machine, to be read from three metres: its state, what to do, what is out of its range. */
export function OperatorHome() {
  const twins = useTwins();
  const [chosen, choose] = useParam("machine");
  return (
    <Loaded answer={twins} skeleton={<Skeleton height={320} />}>
      {(all) => {
        const machines = all.filter((one) => one.kind === "machine" || one.kind === "robot");
        if (machines.length === 0) return <Empty title={t.fleet.none}>{t.fleet.noneHint}</Empty>;
        const sorted = [...machines].sort((a, b) => urgency(a) - urgency(b));
        const machine = machines.find((one) => one.id === chosen) ?? sorted[0];
        return (
          <div className="operator">
            <MachineChoice machines={machines} chosen={machine?.id ?? ""} choose={choose} />
            {machine ? <Machine key={machine.id} machine={machine} /> : null}
          </div>
        );
      }}
    </Loaded>
  );
}

function MachineChoice({ machines, chosen, choose }: { machines: TwinSummary[]; chosen: string; choose: (id: string) => void }) {
  if (machines.length > 12) {
    return (
      <label className="field operator-choice">
        <span>{o.machine}</span>
        <select value={chosen} onChange={(e) => choose(e.target.value)}>
          <MachineOptions machines={machines} />
        </select>
      </label>
    );
  }
  return (
    <div className="operator-tabs" role="group" aria-label={o.machine}>
      {machines.map((one) => (
        <button key={one.id} type="button" aria-pressed={one.id === chosen} onClick={() => choose(one.id)}>
          <span className="strong">{one.title || one.id}</span>
          <StateMark state={one.state?.state} />
        </button>
      ))}
    </div>
  );
}

function Machine({ machine }: { machine: TwinSummary }) {
  const account = useAccount();
  const twin = useTwin(machine.id);
  const state = useTwinState(machine.id);
  const cases = useCases(machine.id, true);
  const name = stateName(machine.state?.state);
  const violated = cases.data?.some((one) => one.active && one.severity !== "low");
  return (
    <>
      <section className={`operator-state tone-${toneOf(name)}`} aria-label={o.state}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={GLYPHS[name]} fillRule="evenodd" />
        </svg>
        <div>
          <p className="operator-word">{t.states[name]}</p>
          <p className="operator-since">
            {machine.state?.since ? <Since at={machine.state.since} /> : null}
            {machine.state?.cause ? ` · ${machine.state.cause}` : ""}
          </p>
        </div>
        <Parts id={machine.id} />
      </section>
      <section className="operator-todo" aria-label={o.next}>
        <h2>{o.next}</h2>
        <p className="operator-do">{violated && name === "producing" ? t.cases.operatorDo : o.todo[name]}</p>
        {state.data?.alarms.length ? (
          <ul className="alarms">
            {state.data.alarms.map((alarm) => (
              <AlarmRow key={`${alarm.signal} ${alarm.code}`} alarm={alarm} />
            ))}
          </ul>
        ) : null}
        <OpenCasesLine twin={machine.id} />
        <Link className="plain operator-open" place={`machines/${machine.id}`}>
          {o.open}
        </Link>
      </section>
      <NextInPlan machine={machine.id} />
      <ReasonEntry id={machine.id} />
      {maySayRoutine(account) ? <RoutineEntry place={machine.id} /> : null}
      <Loaded answer={{ ...state, data: twin.data && state.data ? { twin: twin.data, now: state.data } : undefined, error: twin.error ?? state.error }} skeleton={<Skeleton height={180} />}>
        {(both) => <Deviations twin={both.twin} now={both.now} />}
      </Loaded>
    </>
  );
}

function Parts({ id }: { id: string }) {
  const { data } = useToday(id);
  const made = data ? madeOf(data) : null;
  if (!data || !made || made.made === 0) return null;
  return (
    <div className="operator-parts">
      <span className="kpi-title">{t.home.made}</span>
      <Figure className="operator-number" text={formatNumber(made.made, 0)} source={{ url: data.provenance, title: t.home.made }} />
      {made.planned === null ? null : (
        <span>
          {t.home.of} ≈ <span className="num">{formatNumber(made.planned, 0)}</span>
        </span>
      )}
    </div>
  );
}

/** Values outside their range, else those nearest to a bound, each with its last hour. */
function Deviations({ twin, now }: { twin: TwinDetail; now: TwinState }) {
  const asOf = useAsOfText();
  const live = useLiveValues(asOf === null ? twin.id : null);
  const held = useMemo(() => heldValues(twin.signals, now, live), [twin.signals, now, live]);
  const trends = useTrends(twin, held);
  const watched = twin.signals
    .filter((s) => s.type === "number" && s.range)
    .map((signal) => ({ signal, held: held.get(signal.name), near: closeness(held.get(signal.name)?.value, signal.range) }))
    .sort((a, b) => b.near - a.near)
    .slice(0, SHOWN);
  if (watched.length === 0) return null;
  return (
    <section aria-label={o.watch}>
      <h2>{watched.some((w) => w.near > 1) ? o.outside : o.watch}</h2>
      <ul className="operator-values">
        {watched.map(({ signal, held: value }) => {
          const v = typeof value?.value === "number" ? value.value : null;
          const side = v === null ? null : sideOf(v, signal.range);
          const title = signal.title || signal.name;
          return (
            <li key={signal.name} className={side ? "card out" : "card"}>
              <span className="operator-title">{title}</span>
              {v === null ? (
                <span className="no-value">{t.twin.noValue}</span>
              ) : (
                <Figure
                  className="operator-number"
                  text={formatNumber(v, decimalsFor(v, signal.range, signal.accuracy, signal.unit))}
                  unit={unitText(signal.unit)}
                  stale={isStale(signal, value, trends.to)}
                  source={{ url: now.provenance, title }}
                />
              )}
              <Sparkline points={trends.points.get(signal.name) ?? []} range={signal.range} from={trends.from} to={trends.to} height={56} label={`${title}: ${t.twin.lastHour}`} />
              <span className={side ? "side" : "weak"}>
                {side ? (side === "above" ? `▲ ${t.twin.above}` : `▼ ${t.twin.below}`) : t.twin.inRange}{" "}
                <span className="num">
                  {signal.range?.[0]} … {signal.range?.[1]} {unitText(signal.unit)}
                </span>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
