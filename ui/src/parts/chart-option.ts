import type { EChartsCoreOption } from "echarts/core";
import { formatNumber } from "../time/figure";
import { formatInstant, zoneLabel } from "../time/instant";
import type { Window } from "../time/window";
import { timeTicks } from "./axis";

/** A stretch of time [from, to] that is shaded as violated. */
export type Mark = [number, number];

/** One signal of a chart: a line, and where values were gathered the band from least to most. */
export interface Panel {
  name: string;
  unit: string;
  decimals: number;
  range: number[] | null;
  step: boolean;
  line: [number, number | null][];
  band: [number, number, number, number][];
  marks?: readonly Mark[];
}

export const PLOT_INSET: [number, number] = [64, 16];
export const panelHeight = 168;
const GAP = 42;
const FOOT = 28;
const TOP = 30;

export const tall = (panels: number): number => TOP + panels * panelHeight + (panels - 1) * GAP + FOOT;

interface Shown {
  panels: readonly Panel[];
  window: Window;
  zone: string;
  width: number;
}

interface Hovered {
  seriesIndex: number;
  seriesType: string;
  seriesName: string;
  value: [number, number | null];
}

/** ECharts' description of the panels, in the colours of the theme. */
export function chartOption({ panels, window: w, zone, width }: Shown): EChartsCoreOption {
  const style = getComputedStyle(document.documentElement);
  const colour = (token: string): string => style.getPropertyValue(token).trim();
  const ink = colour("--ink-soft");
  const ticks = timeTicks(w.from, w.to, zone, Math.max(2, (width - PLOT_INSET[0] - PLOT_INSET[1]) / 110));
  const labels = new Map(ticks.map((tick) => [tick.at, tick.label]));
  const grid = panels.map((_, i) => ({ left: PLOT_INSET[0], right: PLOT_INSET[1], top: TOP + i * (panelHeight + GAP), height: panelHeight }));
  const xAxis = panels.map((_, i) => ({
    type: "value",
    gridIndex: i,
    min: w.from,
    max: w.to,
    axisLine: { lineStyle: { color: colour("--line-strong") } },
    axisTick: { show: false, customValues: ticks.map((tick) => tick.at) },
    splitLine: { show: true, lineStyle: { color: colour("--line") } },
    axisLabel: {
      show: i === panels.length - 1,
      customValues: ticks.map((tick) => tick.at),
      formatter: (at: number) => labels.get(at) ?? "",
      color: ink,
      hideOverlap: true,
    },
    axisPointer: { show: true, label: { show: false } },
  }));
  const yAxis = panels.map((panel, i) => ({
    type: "value",
    gridIndex: i,
    scale: true,
    name: panel.unit ? `${panel.name} [${panel.unit}]` : panel.name,
    nameLocation: "end",
    nameGap: 14,
    nameTextStyle: { align: "left", color: colour("--ink"), fontWeight: 600, fontSize: 12, padding: [0, 0, 0, -PLOT_INSET[0] + 4] },
    splitNumber: 4,
    axisLabel: { color: ink, formatter: (v: number) => formatNumber(v, Math.abs(v) >= 1000 || Number.isInteger(v) ? 0 : panel.decimals), hideOverlap: true },
    splitLine: { lineStyle: { color: colour("--line") } },
  }));
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid,
    xAxis,
    yAxis,
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colour("--ink-soft"), type: "solid" } },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: colour("--surface"),
      borderColor: colour("--line-strong"),
      textStyle: { color: colour("--ink"), fontSize: 12 },
      formatter: (hovered: Hovered[]) => tip(hovered, panels, zone, w),
    },
    series: panels.flatMap((panel, i) => seriesOf(panel, i, colour)),
  };
}

function tip(hovered: Hovered[], panels: readonly Panel[], zone: string, w: Window): string {
  const lines = hovered.filter((h) => h.seriesType === "line");
  const at = lines[0]?.value[0];
  if (at === undefined) return "";
  const head = `${formatInstant(at, zone, w.to - w.from < 600_000 ? "ms" : "second")} ${zoneLabel(zone, at)}`;
  const rows = lines.map((h) => {
    const panel = panels.find((p) => p.name === h.seriesName);
    const value = h.value[1] === null ? "–" : formatNumber(h.value[1], panel?.decimals ?? 2);
    return `<div style="display:flex;justify-content:space-between;gap:1.5rem"><span>${escapeHtml(h.seriesName)}</span><b>${value} ${escapeHtml(panel?.unit ?? "")}</b></div>`;
  });
  return `<div style="opacity:.75">${head}</div>${rows.join("")}`;
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const FEW = 80;

type Point = [number, number | null];

/** A point that no line reaches, because gaps are on both sides, gets a symbol: without one it would not be seen. */
export function withLonePoints(line: Point[]): (Point | { value: Point; symbol: string })[] {
  const held = (k: number): boolean => (line[k]?.[1] ?? null) !== null;
  const isLone = (k: number): boolean => held(k) && !held(k - 1) && !held(k + 1);
  if (line.length < FEW || !line.some((_, k) => isLone(k))) return line;
  return line.map((value, k) => ({ value, symbol: isLone(k) ? "circle" : "none" }));
}

function seriesOf(panel: Panel, i: number, colour: (token: string) => string): object[] {
  const data = withLonePoints(panel.line);
  const line = {
    type: "line",
    name: panel.name,
    xAxisIndex: i,
    yAxisIndex: i,
    data,
    showSymbol: panel.line.length < FEW || data !== panel.line,
    showAllSymbol: data !== panel.line ? true : "auto",
    symbolSize: 4,
    step: panel.step ? "end" : false,
    connectNulls: false,
    lineStyle: { width: 1.6, color: colour("--accent") },
    itemStyle: { color: colour("--accent") },
    z: 3,
    markArea: { silent: true, data: areas(panel, colour) },
  };
  if (panel.band.length === 0) return [line];
  const band = {
    type: "custom",
    name: `${panel.name} band`,
    xAxisIndex: i,
    yAxisIndex: i,
    data: panel.band,
    encode: { x: [0, 1], y: [2, 3] },
    silent: true,
    tooltip: { show: false },
    z: 2,
    clip: true,
    renderItem: drawBand(colour("--accent")),
  };
  return [band, line];
}

/** The normal range lies across, violations stand upright with an edge on either side. */
function areas(panel: Panel, colour: (token: string) => string): object[][] {
  const across = panel.range ? [[{ yAxis: panel.range[0], itemStyle: { color: colour("--band") } }, { yAxis: panel.range[1] }]] : [];
  const style = { color: colour("--violated"), borderColor: colour("--alarm"), borderWidth: 1, borderType: "dashed" };
  return [...across, ...(panel.marks ?? []).map(([from, to]) => [{ xAxis: from, itemStyle: style }, { xAxis: to }])];
}

interface RenderApi {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
}

function drawBand(fill: string) {
  return (_: unknown, api: RenderApi): object => {
    const [x1, y1] = api.coord([api.value(0), api.value(3)]);
    const [x2, y2] = api.coord([api.value(1), api.value(2)]);
    return { type: "rect", shape: { x: x1, y: y1, width: Math.max(0.5, x2 - x1), height: Math.max(0.5, y2 - y1) }, style: { fill, opacity: 0.22 } };
  };
}
