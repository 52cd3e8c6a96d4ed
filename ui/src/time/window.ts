import { useCallback, useMemo } from "react";
import { useAsOf, useMoment } from "../parts/Clock";
import { setParams, useRoute } from "../route/router";
import { parseInstant, parseSpan, toRfc3339 } from "./instant";

/** The stretch of time that charts show: rolling (`span`, ends at the moment looked at) or fixed (`from`, `to`). */
export interface Window {
  from: number;
  to: number;
}

export interface WindowState extends Window {
  rolling: boolean;
  span: string;
  /** Names the window: a rolling one keeps its name while it moves. */
  key: string;
  set: (next: Window) => void;
  setSpan: (span: string) => void;
}

const SHORTEST_MS = 1;
const LONGEST_MS = 40 * 31_557_600_000;

export function useWindow(fallback: string): WindowState {
  const { params } = useRoute();
  const asOf = useAsOf();
  const fixed = fixedWindow(params.get("from"), params.get("to"));
  const span = params.get("span") ?? fallback;
  const width = parseSpan(span) ?? parseSpan(fallback) ?? 3_600_000;
  const step = Math.min(60_000, Math.max(1000, width / 300));
  const moment = useMoment(step);
  const set = useCallback((next: Window) => {
    const { from, to } = bounded(next);
    setParams({ from: toRfc3339(from), to: toRfc3339(to), span: "" });
  }, []);
  const setSpan = useCallback((next: string) => setParams({ span: next, from: "", to: "" }), []);
  // A rolling window ends on a step, so that its questions stay the same between steps.
  const end = asOf ?? Math.ceil(moment / step) * step;
  const from = fixed?.from ?? end - width;
  const to = fixed?.to ?? end;
  const rolling = fixed === null;
  const key = rolling ? `last ${span} ${asOf ?? ""}` : `${from} ${to} ${asOf ?? ""}`;
  return useMemo(() => ({ from, to, rolling, key, span: rolling ? span : "", set, setSpan }), [from, to, rolling, key, span, set, setSpan]);
}

function fixedWindow(from: string | null, to: string | null): Window | null {
  if (!from || !to) return null;
  const a = parseInstant(from);
  const b = parseInstant(to);
  return Number.isFinite(a) && Number.isFinite(b) && b > a ? { from: a, to: b } : null;
}

export function bounded({ from, to }: Window): Window {
  const middle = (from + to) / 2;
  const width = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, to - from));
  return { from: middle - width / 2, to: middle + width / 2 };
}

/** Zoom by a factor around a place (0 left edge ... 1 right edge). */
export function zoomed({ from, to }: Window, factor: number, place = 0.5): Window {
  const at = from + (to - from) * place;
  return bounded({ from: at - (at - from) * factor, to: at + (to - at) * factor });
}

export function moved({ from, to }: Window, fraction: number): Window {
  const by = (to - from) * fraction;
  return { from: from + by, to: to + by };
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000, 1_209_600_000,
  2_592_000_000,
];

/** Width of a bucket so that a window of this width has at most so many of them. */
export function bucketWidth(width: number, atMost = 600): number {
  return STEPS_MS.find((step) => width / step <= atMost) ?? 2_592_000_000;
}

/** A bucket's width as the API writes durations. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** The window widened to whole buckets, so that small moves ask the same question again. */
export function aligned({ from, to }: Window, step: number): Window {
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step };
}
