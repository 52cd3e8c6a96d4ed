import type { Bucket, SignalShape } from "../../api/types";
import { parseInstant } from "../../time/instant";

/**
 * Share of the buckets that hold an observation, 0-1, for a signal that may not be silent for longer than a bucket
 * and its greatest gap; null where silence is allowed, since it tells nothing then. Buckets ahead of us do not count.
 */
export function completeness(signal: SignalShape, buckets: readonly Bucket[], now = Date.now()): number | null {
  const maxGap = signal.reporting.max_gap;
  if (maxGap === null) return null;
  const past = buckets.filter((b) => parseInstant(b.to) <= now);
  if (past.length === 0) return null;
  const reach = Math.ceil(maxGap / 1e6 / Math.max(1, parseInstant(past[0]?.to ?? "") - parseInstant(past[0]?.from ?? "")));
  let covered = 0;
  let last = -Infinity;
  past.forEach((bucket, i) => {
    if ((bucket.count ?? 0) > 0) last = i;
    if (i - last < Math.max(1, reach)) covered += 1;
  });
  return covered / past.length;
}
