import { formatClock, formatInstant, startOfDay } from "../time/instant";

export interface Tick {
  at: number;
  label: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
  15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY,
  182 * DAY, 365 * DAY, 730 * DAY, 1825 * DAY,
];

/** Ticks of a time axis in the plant's zone, from milliseconds to years. */
export function timeTicks(from: number, to: number, zone: string, atMost: number): Tick[] {
  const step = STEPS.find((s) => (to - from) / s <= atMost) ?? 3650 * DAY;
  const ticks: Tick[] = [];
  if (step >= DAY) {
    // Whole local days: walk by noon, so that a change of the clock does not skip or double a day.
    const first = startOfDay(from, zone);
    for (let at = first; at <= to + DAY; at = startOfDay(at + Math.round(step / DAY) * DAY + 12 * HOUR, zone)) {
      if (at >= from && at <= to) ticks.push({ at, label: formatInstant(at, zone, "day").slice(step >= 365 * DAY ? 0 : 0, step >= 365 * DAY ? 7 : 10) });
    }
    return ticks;
  }
  const origin = step >= HOUR ? startOfDay(from, zone) : 0;
  for (let at = origin + Math.ceil((from - origin) / step) * step; at <= to; at += step) {
    ticks.push({ at, label: labelOf(at, step, zone) });
  }
  return ticks;
}

function labelOf(at: number, step: number, zone: string): string {
  if (step < 1000) return formatClock(at, zone, "ms");
  if (step < MINUTE) return formatClock(at, zone, "second");
  const clock = formatClock(at, zone, "minute");
  return clock === "00:00" ? formatInstant(at, zone, "day").slice(5) : clock;
}
