import { useMemo } from "react";
import { get, path } from "../../api/client";
import type { StateHistory, StateInterval, TwinDetail } from "../../api/types";
import { type Asked, useQuery } from "../../data/query";
import { isGroup, useAsOfText } from "../../data/twins";
import { PATTERNS, stateName } from "../../parts/states";
import type { StripItem } from "../../parts/strip-draw";
import { t } from "../../texts/en";
import { parseInstant, toRfc3339 } from "../../time/instant";
import { aligned, bucketWidth, type WindowState } from "../../time/window";

const REFRESH_MS = 5000;
const PAGES_AT_MOST = 20;

interface States extends Asked<StateHistory> {
  items: StripItem[];
}

/** State intervals of a machine in the window; groups have none of their own. */
export function useStates(twin: TwinDetail, window: WindowState): States {
  const asOf = useAsOfText();
  const step = bucketWidth(window.to - window.from);
  const { from, to } = aligned(window, step);
  const answer = useQuery(
    isGroup(twin) ? null : `states ${twin.id} ${window.key}`,
    (signal) => {
      const end = Math.min(to, asOf === null ? Date.now() : parseInstant(asOf));
      return allIntervals(twin.id, from, Math.max(from + 1, end), signal);
    },
    window.rolling && asOf === null ? Math.max(REFRESH_MS, Math.min(step, 60_000)) : 0,
    `states ${twin.id}`,
  );
  const items = useMemo(() => (answer.data?.intervals ?? []).map(stripItem), [answer.data]);
  return { ...answer, items };
}

async function allIntervals(twin: string, from: number, to: number, signal: AbortSignal): Promise<StateHistory> {
  const range = { from: toRfc3339(from), to: toRfc3339(to) };
  const first = await get<StateHistory>(path`/twins/${twin}/states`, range, signal);
  let next = first.next;
  const intervals = [...first.intervals];
  for (let page = 1; next && page < PAGES_AT_MOST; page += 1) {
    const more: StateHistory = await get<StateHistory>(path`/twins/${twin}/states`, { ...range, cursor: next }, signal);
    intervals.push(...more.intervals);
    next = more.next;
  }
  return { ...first, intervals, next };
}

export function stripItem(interval: StateInterval): StripItem {
  const state = stateName(interval.state);
  const detail = [interval.word && `“${interval.word}”`, interval.said?.cause, interval.cause, interval.reason].filter(Boolean).join(" · ");
  return {
    from: parseInstant(interval.from),
    to: parseInstant(interval.to),
    label: t.states[state],
    detail,
    fill: `--s-${state}`,
    pattern: PATTERNS[state],
  };
}
