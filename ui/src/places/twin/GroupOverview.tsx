import { useMemo } from "react";
import type { TwinDetail, TwinState } from "../../api/types";
import { below, useAsOfText, useTwins, useTwinState } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { useLiveValues } from "../../live/live";
import { Card, Facts } from "../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Sparkline } from "../../parts/Sparkline";
import { StateCounts } from "../../parts/StateCounts";
import { urgency } from "../../parts/states";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { decimalsFor, formatNumber, unitText } from "../../time/figure";
import { Tiles } from "../machines/Tiles";
import { heldValues } from "./held";
import { useTrends } from "./useTrends";

/** A line, factory or fleet: values of the whole with their coverage, and what is inside by urgency. */
export function GroupOverview({ twin }: { twin: TwinDetail }) {
  const state = useTwinState(twin.id);
  const all = useTwins();
  const inside = useMemo(() => (all.data ?? []).filter((one) => twin.children.includes(one.id)).sort((a, b) => urgency(a) - urgency(b)), [all.data, twin.children]);
  const machines = useMemo(() => below(twin.id, all.data ?? []), [twin.id, all.data]);
  const titles = useMemo(() => new Map((all.data ?? []).map((one) => [one.id, one.title || one.id])), [all.data]);
  return (
    <>
      <Loaded answer={state} skeleton={<Skeleton height={110} />}>
        {(now) => (twin.aggregates.length ? <Aggregates twin={twin} now={now} /> : null)}
      </Loaded>
      <StateCounts machines={machines} />
      <h2 className="section">{t.twin.children}</h2>
      <Loaded answer={all} skeleton={<Skeleton height={160} />}>
        {() => (inside.length ? <Tiles twins={inside} titles={titles} all={all.data ?? []} /> : <Empty title={t.twin.noChildren} />)}
      </Loaded>
      {inside.some((one) => one.kind === "line" || one.kind === "factory") && machines.length > inside.length ? (
        <>
          <h2 className="section">{t.nav.machines}</h2>
          <Tiles twins={machines.filter((one) => !twin.children.includes(one.id)).sort((a, b) => urgency(a) - urgency(b))} titles={titles} />
        </>
      ) : null}
      <div className="section" />
      <Card title={t.twin.factsGroup}>
        <Facts
          items={[
            [t.fleet.kind, t.kinds[twin.kind]],
            [t.twin.place, twin.place || "–"],
            [t.twin.owner, twin.owner || "–"],
            [t.twin.partOf, twin.parent ? <Link key="p" place={`machines/${twin.parent}`}>{titles.get(twin.parent) ?? twin.parent}</Link> : "–"],
            [t.twin.calendar, twin.calendar || "–"],
          ]}
        />
      </Card>
    </>
  );
}

function Aggregates({ twin, now }: { twin: TwinDetail; now: TwinState }) {
  const asOf = useAsOfText();
  const live = useLiveValues(asOf === null ? twin.id : null);
  const held = useMemo(() => heldValues(twin.signals, now, live), [twin.signals, now, live]);
  const trends = useTrends(twin, held);
  return (
    <ul className="aggregates">
      {twin.aggregates.map((aggregate) => {
        const value = held.get(aggregate.name)?.value;
        const coverage = now.coverage[aggregate.name];
        const partial = coverage !== undefined && coverage.fresh < coverage.of;
        const title = aggregate.title || aggregate.name;
        return (
          <li key={aggregate.name} className="card">
            <span className="kpi-title">{title}</span>
            {typeof value === "number" ? (
              <Figure className="kpi-value" text={formatNumber(value, decimalsFor(value))} unit={unitText(aggregate.unit)} estimate={partial} source={{ url: now.provenance, title }} />
            ) : (
              <span className="no-value">{t.twin.noValue}</span>
            )}
            <Sparkline points={trends.points.get(aggregate.name) ?? []} range={null} from={trends.from} to={trends.to} label={`${title}: ${t.twin.lastHour}`} />
            {coverage ? <span className={partial ? "coverage-text partial" : "coverage-text weak"}>{t.twin.coverage(coverage.fresh, coverage.of)}</span> : null}
          </li>
        );
      })}
    </ul>
  );
}
