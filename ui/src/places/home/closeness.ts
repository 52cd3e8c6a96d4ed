import type { Value } from "../../api/types";

/** How near a value is to a bound of its range: 0 in the middle, 1 on a bound, more outside; -1 where unknown. */
export function closeness(value: Value | undefined, range: readonly number[] | null): number {
  if (typeof value !== "number" || !range || range.length < 2) return -1;
  const [low = 0, high = 0] = range;
  const half = (high - low) / 2;
  return half > 0 ? Math.abs(value - (low + high) / 2) / half : -1;
}
