import { useMemo } from "react";
import type { SignalShape, TwinDetail, TwinState } from "../../api/types";
import { useAsOfText } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { useLiveValues } from "../../live/live";
import { Card } from "../../parts/Card";
import { useMoment } from "../../parts/Clock";
import { ChooseShown } from "../../parts/Choices";
import { Empty } from "../../parts/Feedback";
import { RangeBar } from "../../parts/RangeBar";
import { Sparkline } from "../../parts/Sparkline";
import { Link } from "../../route/router";
import { useHidden } from "../../session/view";
import { t } from "../../texts/en";
import { decimalsFor, formatNumber, unitText } from "../../time/figure";
import { formatDuration } from "../../time/instant";
import { type Held, heldValues, isStale, sideOf } from "./held";
import { type Trends, useTrends } from "./useTrends";

/** Live values by component, each against its range with its last hour beside it. */
export function Values({ twin, now }: { twin: TwinDetail; now: TwinState }) {
  const asOf = useAsOfText();
  const live = useLiveValues(asOf === null ? twin.id : null);
  const held = useMemo(() => heldValues(twin.signals, now, live), [twin.signals, now, live]);
  const trends = useTrends(twin, held);
  // All machines of a type are looked at the same way, whatever their version.
  const [hidden, hide] = useHidden(`values.${twin.type?.split("@")[0] ?? twin.id}`);
  const groups = useMemo(() => groupByComponent(twin, asOf === null ? t.twin.values : t.twin.valuesThen), [twin, asOf]);
  const choices = groups.flatMap(([, , signals]) => signals.map((s) => ({ key: s.name, title: s.title || s.name })));
  const shown = groups
    .map(([component, title, all]) => [component, title, all.filter((s) => isShown(s, hidden, held.get(s.name)))] as const)
    .filter(([, , signals]) => signals.length > 0);
  if (twin.signals.length === 0) return <Empty title={t.twin.noSignals} />;
  return (
    <>
      <ChooseShown legend={t.view.values} items={choices} hidden={hidden} onChange={hide} note={t.view.outside} />
      {shown.map(([component, title, signals]) => (
        <Card key={component} title={title} className="values-card">
          <table className="values">
            <tbody>
              {signals.map((signal) => (
                <ValueRow key={signal.name} twin={twin.id} signal={signal} held={held.get(signal.name)} trends={trends} source={now.provenance} />
              ))}
            </tbody>
          </table>
        </Card>
      ))}
    </>
  );
}

/** What is outside its range is shown, hidden or not. */
function isShown(signal: SignalShape, hidden: ReadonlySet<string>, held: Held | undefined): boolean {
  return !hidden.has(signal.name) || (typeof held?.value === "number" && sideOf(held.value, signal.range) !== null);
}

function groupByComponent(twin: TwinDetail, untitled: string): [string, string, SignalShape[]][] {
  const titles = new Map(twin.components.map((c) => [c.path, c.title || c.path]));
  const groups = new Map<string, SignalShape[]>();
  for (const signal of twin.signals) {
    if (signal.name.startsWith("_")) continue;
    groups.set(signal.component, [...(groups.get(signal.component) ?? []), signal]);
  }
  return [...groups].map(([path, signals]) => [path, titles.get(path) ?? (path || untitled), signals.sort((a, b) => weight(b) - weight(a))]);
}

/** What has a range to be held against comes first, words last; the type's own order inside. */
function weight(signal: SignalShape): number {
  if (signal.type !== "number") return 0;
  return signal.range ? 2 : 1;
}

function ValueRow({ twin, signal, held, trends, source }: { twin: string; signal: SignalShape; held: Held | undefined; trends: Trends; source: string }) {
  const title = signal.title || signal.name;
  const number = typeof held?.value === "number" ? held.value : null;
  const side = number === null ? null : sideOf(number, signal.range);
  const moment = useMoment(1000);
  const stale = isStale(signal, held, moment);
  return (
    <tr className={`value${side ? " out" : ""}${stale ? " stale" : ""}`}>
      <th scope="row">
        <Link place={`machines/${twin}/trends`} params={{ signals: signal.name }} title={`${signal.name} · ${t.twin.openTrend}`}>
          {title}
        </Link>
      </th>
      <td className="right value-now">
        <ValueText signal={signal} held={held} stale={stale} source={source} />
      </td>
      <td className="value-range">
        {number !== null && signal.range ? <RangeBar value={number} range={signal.range} limits={signal.limits} /> : null}
        {side ? <span className="side">{side === "above" ? `▲ ${t.twin.above}` : `▼ ${t.twin.below}`}</span> : null}
      </td>
      <td className="value-trend">
        {signal.type === "number" ? (
          <Sparkline points={trends.points.get(signal.name) ?? []} range={signal.range} from={trends.from} to={trends.to} label={`${title}: ${t.twin.lastHour}`} />
        ) : null}
      </td>
      <td className="right value-age weak">
        <Age held={held} stale={stale} moment={moment} />
      </td>
    </tr>
  );
}

function ValueText({ signal, held, stale, source }: { signal: SignalShape; held: Held | undefined; stale: boolean; source: string }) {
  const title = signal.title || signal.name;
  if (!held || held.value === null) return <span className="no-value">{t.twin.noValue}</span>;
  const url = source ? `${source}${source.includes("?") ? "&" : "?"}signal=${encodeURIComponent(signal.name)}` : undefined;
  if (typeof held.value === "number") {
    const text = formatNumber(held.value, decimalsFor(held.value, signal.range, signal.accuracy, signal.unit));
    return <Figure text={text} unit={unitText(signal.unit)} source={{ url, title }} stale={stale} />;
  }
  const text = typeof held.value === "boolean" ? (held.value ? t.yes : t.no) : held.value;
  return <Figure text={text} source={{ url, title }} stale={stale} className="text-value" />;
}

function Age({ held, stale, moment }: { held: Held | undefined; stale: boolean; moment: number }) {
  if (!held) return null;
  const age = moment - held.time;
  return (
    <>
      {stale ? <span className="pill quiet">{t.twin.stale}</span> : held.quality === 1 ? <span className="pill quiet">{t.twin.uncertain}</span> : null}{" "}
      <span className="num">{age < 2000 ? t.fleet.nowFresh : formatDuration(age)}</span>
    </>
  );
}
