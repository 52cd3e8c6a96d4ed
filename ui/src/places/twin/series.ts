import { useMemo } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { FleetSeries, QueryAnswer, Series, SignalShape } from "../../api/types";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { useMoment } from "../../parts/Clock";
import type { Panel } from "../../parts/chart-option";
import type { StripItem } from "../../parts/strip-draw";
import { decimalsFor, unitText } from "../../time/figure";
import { parseInstant, toRfc3339 } from "../../time/instant";
import { aligned, bucketWidth, durationText, type WindowState } from "../../time/window";
import { t } from "../../texts/en";

/** Below this many observations every one of them is drawn. */
export const RAW_BELOW = 5000;
const REFRESH_MS = 5000;

interface Drawn {
  panels: Panel[] | undefined;
  raw: boolean;
  points: number;
  step: number;
  error: ApiError | undefined;
  reload: () => void;
}

/** Series for the window: gathered into buckets, or raw where there are few. */
export function useSeries(twin: string, signals: readonly SignalShape[], window: WindowState): Drawn {
  const asOf = useAsOfText();
  const step = bucketWidth(window.to - window.from);
  const { from, to } = aligned(window, step);
  const names = signals.map((s) => s.name);
  const key = names.length ? `series ${twin} ${names.join(",")} ${window.key}` : null;
  const refresh = window.rolling && asOf === null ? Math.max(REFRESH_MS, Math.min(step, 60_000)) : 0;
  const answer = useQuery(
    key,
    async () => {
      const range = { twins: [twin], signals: names, from: toRfc3339(from), to: toRfc3339(limit(to, asOf)) };
      const gathered = await post<QueryAnswer>("/observations/query", { ...range, every: durationText(step), aggregates: ["mean", "min", "max", "count"] });
      const count = Math.max(0, ...gathered.series.map((s) => (s.buckets ?? []).reduce((sum, b) => sum + (b.count ?? 0), 0)));
      if (count === 0 || count > RAW_BELOW) return { series: gathered.series, raw: false, count, step };
      const raw = await post<QueryAnswer>("/observations/query", range);
      return { series: raw.series, raw: true, count, step };
    },
    refresh,
    `series ${twin} ${names.join(",")}`,
  );
  const panels = useMemo(() => {
    const data = answer.data;
    return data && signals.map((signal) => panelOf(signal, data.series.find((s) => s.signal === signal.name)));
  }, [answer.data, signals]);
  return { panels, raw: answer.data?.raw ?? false, points: answer.data?.count ?? 0, step: answer.data?.step ?? step, error: answer.error, reload: answer.reload };
}

const limit = (to: number, asOf: string | null): number => (asOf === null ? to : Math.min(to, parseInstant(asOf)));

export function panelOf(signal: SignalShape, series: FleetSeries | undefined): Panel {
  const holds = signal.reporting.mode === "on-change";
  const maxGap = signal.reporting.max_gap === null ? Infinity : signal.reporting.max_gap / 1e6;
  const line = series?.items ? rawLine(series.items, maxGap) : gatheredLine(series?.buckets ?? [], maxGap);
  const values = line.flatMap(([, v]) => (v === null ? [] : [v]));
  const widest = values.length ? Math.max(...values.slice(0, 1000)) - Math.min(...values.slice(0, 1000)) : 0;
  return {
    name: signal.title || signal.name,
    unit: unitText(signal.unit),
    decimals: decimalsFor(values[0] ?? 0, signal.range ?? (widest ? [0, widest] : null), signal.accuracy),
    range: signal.range,
    step: holds,
    line,
    band: (series?.buckets ?? []).flatMap((b) =>
      b.min === null || b.min === undefined || b.max === null || b.max === undefined
        ? []
        : [[parseInstant(b.from), parseInstant(b.to), b.min, b.max] as [number, number, number, number]],
    ),
  };
}

/** Every observation; the pen is lifted where a value is missing or silence lasted longer than the signal allows. */
export function rawLine(items: readonly { time: string; value: unknown }[], maxGap: number): [number, number | null][] {
  const line: [number, number | null][] = [];
  let before = Number.NaN;
  for (const item of items) {
    const at = parseInstant(item.time);
    if (at - before > maxGap) line.push([before + maxGap, null]);
    line.push([at, typeof item.value === "number" ? item.value : null]);
    before = at;
  }
  return line;
}

/** Means of buckets. An empty bucket is a gap only if it is longer than the signal may be silent. */
export function gatheredLine(buckets: readonly { from: string; to: string; mean?: number | null }[], maxGap: number): [number, number | null][] {
  const line: [number, number | null][] = [];
  let last = Number.NaN;
  for (const bucket of buckets) {
    const from = parseInstant(bucket.from);
    const to = parseInstant(bucket.to);
    const value = bucket.mean ?? null;
    if (value !== null) {
      if (from - last > maxGap) line.push([(from + last) / 2, null]);
      line.push([(from + to) / 2, value]);
      last = to;
    }
  }
  return line;
}

interface WordStrip {
  name: string;
  title: string;
  items: StripItem[];
}

const SHADES = ["--s-producing", "--s-setup", "--s-standby", "--s-preventive", "--s-external", "--s-blocked"];

/** Text signals as strips of their words. */
export function useWordStrips(twin: string, signals: readonly SignalShape[], window: WindowState): WordStrip[] {
  const asOf = useAsOfText();
  const step = bucketWidth(window.to - window.from);
  const { from, to } = aligned(window, step);
  const names = signals.map((s) => s.name);
  const key = names.length ? `words ${twin} ${names.join(",")} ${window.key}` : null;
  const end = limit(to, asOf);
  const moment = useMoment(5000);
  const answer = useQuery(
    key,
    (signal) =>
      Promise.all(
        names.map((name) =>
          get<Series>(path`/twins/${twin}/signals/${name}/observations`, { from: toRfc3339(from), to: toRfc3339(end), limit: RAW_BELOW }, signal),
        ),
      ),
    window.rolling && asOf === null ? Math.max(REFRESH_MS, Math.min(step, 60_000)) : 0,
    `words ${twin} ${names.join(",")}`,
  );
  return useMemo(
    () =>
      signals.map((signal, i) => ({
        name: signal.name,
        title: signal.title || signal.name,
        items: wordItems(answer.data?.[i]?.items ?? [], Math.min(end, moment)),
      })),
    [answer.data, signals, end, moment],
  );
}

export function wordItems(items: readonly { time: string; value: unknown }[], end: number): StripItem[] {
  const words = [...new Set(items.map((i) => String(i.value)))].sort();
  const out: StripItem[] = [];
  items.forEach((item, i) => {
    const from = parseInstant(item.time);
    const next = items[i + 1];
    const to = next ? parseInstant(next.time) : end;
    const last = out.at(-1);
    const known = item.value !== null;
    const label = known ? String(item.value) : t.twin.noValue;
    if (last && last.label === label && last.to === from) last.to = to;
    else {
      const shade = SHADES[words.indexOf(label) % SHADES.length] ?? "--s-standby";
      out.push({ from, to, label, detail: "", fill: known ? shade : "--s-unknown", pattern: known ? "plain" : "hatch" });
    }
  });
  return out;
}
