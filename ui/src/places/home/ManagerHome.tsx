import { useMemo } from "react";
import { get, path } from "../../api/client";
import type { Oee, TwinSummary } from "../../api/types";
import { useQuery } from "../../data/query";
import { below, useAsOfText, useTwins } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { AlarmCount } from "../../parts/AlarmCount";
import { Card } from "../../parts/Card";
import { ChooseShown } from "../../parts/Choices";
import { Since, useMoment, useZone } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { urgency } from "../../parts/states";
import { StateCounts } from "../../parts/StateCounts";
import { StateMark } from "../../parts/StateMark";
import { Link } from "../../route/router";
import { useHidden } from "../../session/view";
import { t } from "../../texts/en";
import { formatNumber, formatRatio } from "../../time/figure";
import { formatDuration, formatInstant, startOfDay, toRfc3339, zoneLabel } from "../../time/instant";
import { OpenCasesLine } from "../cases/OpenCasesLine";
import { biggest } from "../twin/OeeTab";
import { lossName } from "../twin/Waterfall";
import { madeOf } from "./production";
import { TodayStrips } from "./TodayStrips";

const h = t.home;
const REFRESH_MS = 30_000;
const WAITING_AT_MOST = 8;

/** The plant line by line: made against planned, OEE with its biggest loss, what waits for a decision. */
export function ManagerHome() {
  const twins = useTwins();
  return (
    <Loaded answer={twins} skeleton={<Skeleton lines={10} />}>
      {(all) => (all.length === 0 ? <Empty title={t.fleet.none}>{t.fleet.noneHint}</Empty> : <Plant all={all} />)}
    </Loaded>
  );
}

function Plant({ all }: { all: TwinSummary[] }) {
  const groups = useMemo(() => shownGroups(all), [all]);
  const [hidden, hide] = useHidden("home");
  const choices = groups.map((group) => ({ key: group.id, title: group.title || group.id }));
  const machines = useMemo(() => all.filter((one) => one.kind === "machine" || one.kind === "robot"), [all]);
  const waiting = useMemo(() => machines.filter((one) => urgency(one) < 4).sort((a, b) => urgency(a) - urgency(b) || b.alarms - a.alarms), [machines]);
  const inLines = new Set(groups.flatMap((group) => below(group.id, all).map((one) => one.id)));
  const loose = machines.filter((one) => !inLines.has(one.id));
  return (
    <>
      <Today />
      <div className="row wrap">
        <StateCounts machines={machines} />
        <span className="spring" />
        {groups.length ? <ChooseShown legend={t.view.home} items={choices} hidden={hidden} onChange={hide} /> : null}
      </div>
      <div className="columns home-columns">
        <div className="column">
          {groups.filter((group) => !hidden.has(group.id)).map((group) => (
            <LineCard key={group.id} group={group} machines={below(group.id, all)} />
          ))}
          {loose.length && groups.length ? (
            <Card title={h.loose}>
              <TodayStrips machines={loose} />
              {loose.length > 8 ? <Link place="machines">{t.nav.machines}</Link> : null}
            </Card>
          ) : null}
          {groups.length === 0 ? (
            <Empty title={h.noLines}>
              <Link place="machines">{t.nav.machines}</Link>
            </Empty>
          ) : null}
        </div>
        <Waiting machines={waiting} />
      </div>
    </>
  );
}

/** Lines; where there are none, factories. */
function shownGroups(all: readonly TwinSummary[]): TwinSummary[] {
  const lines = all.filter((one) => one.kind === "line");
  const shown = lines.length ? lines : all.filter((one) => one.kind === "factory");
  return shown.sort((a, b) => (a.title || a.id).localeCompare(b.title || b.id, "en", { numeric: true }));
}

function Today() {
  const zone = useZone();
  const moment = useMoment(60_000);
  return (
    <p className="weak lead-in">
      {h.today} {formatInstant(moment, zone, "day")}, {h.since} {formatInstant(startOfDay(moment, zone), zone, "minute").slice(11)} {zoneLabel(zone, moment)}
    </p>
  );
}

export function useToday(id: string) {
  const zone = useZone();
  const asOf = useAsOfText();
  const moment = useMoment(REFRESH_MS);
  const from = startOfDay(moment, zone);
  return useQuery(
    `today ${id} ${from} ${asOf ?? "now"}`,
    (signal) => get<Oee>(path`/twins/${id}/oee`, { from: toRfc3339(from), to: asOf ?? toRfc3339(Date.now()) }, signal),
    asOf === null ? REFRESH_MS : 0,
  );
}

function LineCard({ group, machines }: { group: TwinSummary; machines: TwinSummary[] }) {
  const answer = useToday(group.id);
  const alarms = machines.reduce((sum, one) => sum + one.alarms, 0);
  return (
    <Card
      title={<Link place={`machines/${group.id}`}>{group.title || group.id}</Link>}
      label={group.title || group.id}
      extra={
        <>
          <span className="weak">{t.fleet.col.alarms}</span> <AlarmCount count={alarms} />
        </>
      }
    >
      <Loaded answer={answer} skeleton={<Skeleton height={84} />}>
        {(oee) => <LineFigures id={group.id} oee={oee} />}
      </Loaded>
      <TodayStrips machines={machines} />
    </Card>
  );
}

function LineFigures({ id, oee }: { id: string; oee: Oee }) {
  const made = madeOf(oee);
  const loss = biggest(oee.losses.filter((one) => one.share !== null));
  const name = oee.called === "OEE" ? t.oee.oee : t.oee.utilisation;
  const source = (title: string) => ({ url: oee.provenance, title: `${title}, ${h.today.toLowerCase()}` });
  const share = made.planned ? Math.min(1, made.made / made.planned) : 0;
  return (
    <div className="line-figures">
      <div className="kpi">
        <span className="kpi-title">{h.made}</span>
        <span>
          <Figure className="kpi-value" text={formatNumber(made.made, 0)} source={source(h.made)} />
          {made.planned === null ? null : (
            <span className="weak">
              {" "}
              {h.of} <Figure text={formatNumber(made.planned, 0)} estimate source={source(h.planned)} /> {h.plannedSoFar}
            </span>
          )}
        </span>
        {made.planned === null ? (
          <span className="weak hint">{h.noPlan}</span>
        ) : (
          <span className="progress" role="img" aria-label={`${formatRatio(share)} %`}>
            <span style={{ width: `${share * 100}%` }} />
          </span>
        )}
      </div>
      <div className="kpi">
        <span className="kpi-title">{name}</span>
        <Figure className="kpi-value" text={formatRatio(oee.oee)} unit="%" source={source(name)} estimate={oee.assumed.length > 0} />
        {oee.reason ? <span className="weak hint">{oee.reason}</span> : null}
      </div>
      <div className="kpi">
        <span className="kpi-title">{t.oee.biggest}</span>
        {loss && loss.seconds > 0 ? (
          <>
            <Link place={`machines/${id}/oee`} className="loss-name">
              {lossName(loss)}
            </Link>
            <span className="weak num">
              {formatDuration(loss.seconds * 1000)} · −{formatRatio(loss.share)} %
            </span>
          </>
        ) : (
          <span className="weak">{t.none}</span>
        )}
      </div>
    </div>
  );
}

function Waiting({ machines }: { machines: TwinSummary[] }) {
  return (
    <Card title={h.waiting} extra={<span className="weak num">{machines.length || ""}</span>}>
      {machines.length === 0 ? (
        <p className="weak">{h.nothingWaits}</p>
      ) : (
        <ul className="waiting">
          {machines.slice(0, WAITING_AT_MOST).map((one) => (
            <li key={one.id}>
              <Link place={`machines/${one.id}`} className="strong">
                {one.title || one.id}
              </Link>
              <span className="row">
                <StateMark state={one.state?.state} />
                <span className="weak">{one.state?.since ? <Since at={one.state.since} /> : null}</span>
                {one.alarms ? <AlarmCount count={one.alarms} /> : null}
              </span>
              {one.state?.cause ? <span className="weak">{one.state.cause}</span> : null}
            </li>
          ))}
        </ul>
      )}
      {machines.length > WAITING_AT_MOST ? (
        <Link place="machines" params={{ needs: "1" }}>
          {h.allWaiting(machines.length)}
        </Link>
      ) : null}
      <OpenCasesLine twin="" />
    </Card>
  );
}
