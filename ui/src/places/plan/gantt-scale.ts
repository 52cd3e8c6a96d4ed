import type { MachineLane, PlacedOperation, Schedule } from "../../api/types";
import { parseInstant } from "../../time/instant";

export const HOUR = 3_600_000;
export const STEP = 15 * 60_000;

/** Milliseconds to pixels and back. */
export interface Scale {
  from: number;
  to: number;
  width: number;
}

export const x = (scale: Scale, at: number): number => ((at - scale.from) / (scale.to - scale.from)) * scale.width;
export const timeAt = (scale: Scale, px: number): number => scale.from + (px / scale.width) * (scale.to - scale.from);

/** The time that a plan covers, an hour beyond on both sides; `hours` from now on, 0: all of it. */
export function shownTime(plan: Schedule, hours: number, now: number): { from: number; to: number } {
  const starts = plan.operations.map((one) => parseInstant(one.start) - one.setup_s * 1000);
  const first = Math.min(parseInstant(plan.start), ...starts);
  const last = Math.max(first + HOUR, ...plan.operations.map((one) => parseInstant(one.end)));
  if (hours === 0) return { from: first - HOUR, to: last + HOUR };
  const from = Math.max(first - HOUR, Math.min(now - 2 * HOUR, last - hours * HOUR));
  return { from, to: from + hours * HOUR };
}

/** Stretches without a shift within a stretch of time; machines without shifts work around the clock. */
export function closedTime(lane: MachineLane, from: number, to: number): [number, number][] {
  if (!lane.windows) return [];
  const found: [number, number][] = [];
  let at = from;
  for (const [start, end] of lane.windows) {
    const low = parseInstant(start);
    const high = parseInstant(end);
    if (high <= at) continue;
    if (low >= to) break;
    if (low > at) found.push([at, low]);
    at = Math.max(at, high);
  }
  if (at < to) found.push([at, to]);
  return found;
}

/** Full hours at which a line is drawn: as many as the width has room for. */
export function ticks(scale: Scale): number[] {
  const room = Math.max(2, Math.floor(scale.width / 90));
  const hours = (scale.to - scale.from) / HOUR / room;
  const step = ([1, 2, 3, 6, 12, 24, 48, 168].find((one) => one >= hours) ?? 336) * HOUR;
  const found: number[] = [];
  for (let at = Math.ceil(scale.from / step) * step; at < scale.to; at += step) found.push(at);
  return found;
}

/** A step of the arrow keys or of a drag: a quarter of an hour, and the machine that lies so many lanes away and can do it. */
export function placeAfter(plan: Schedule, one: PlacedOperation, steps: number, lanes: number): { machine: string; start: number } {
  const start = parseInstant(one.start) + steps * STEP;
  const able = plan.machines.map((lane) => lane.machine).filter((id) => one.machines.includes(id));
  const at = able.indexOf(one.machine);
  const machine = able[Math.max(0, Math.min(able.length - 1, at + lanes))] ?? one.machine;
  return { machine, start };
}
