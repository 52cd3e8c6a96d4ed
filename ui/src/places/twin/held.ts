import type { SignalShape, TwinState, Value } from "../../api/types";
import type { LiveValue } from "../../live/connection";
import { parseInstant } from "../../time/instant";

/** A value as a page holds it: the newer of what was read and what arrived live. */
export interface Held {
  value: Value;
  time: number;
  quality: number;
  stale: boolean;
}

export function heldValues(
  signals: readonly SignalShape[],
  now: TwinState,
  live: Readonly<Record<string, LiveValue>>,
): ReadonlyMap<string, Held> {
  const held = new Map<string, Held>();
  for (const signal of signals) {
    const read = now.values[signal.name];
    const newer = live[signal.name];
    const readAt = read ? parseInstant(read.time) : -Infinity;
    if (newer && newer[0] / 1e6 >= readAt) {
      held.set(signal.name, { value: newer[1], time: newer[0] / 1e6, quality: newer[2], stale: false });
    } else if (read) {
      held.set(signal.name, { value: read.value, time: readAt, quality: read.quality, stale: read.stale });
    }
  }
  return held;
}

export function sideOf(value: number, range: readonly number[] | null): "above" | "below" | null {
  if (!range || range.length < 2) return null;
  if (value > (range[1] ?? Infinity)) return "above";
  if (value < (range[0] ?? -Infinity)) return "below";
  return null;
}

/** Whether a value is older than its signal may be silent, at the moment looked at. */
export function isStale(signal: SignalShape, held: Held | undefined, moment: number): boolean {
  if (!held) return false;
  const maxGap = signal.reporting.max_gap;
  return held.stale || (maxGap !== null && moment - held.time > maxGap / 1e6);
}
