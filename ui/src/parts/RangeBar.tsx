/** Where a value lies against its normal range: the band is the range, the marker the value, outside it changes shape. */
export function RangeBar({ value, range, limits }: { value: number; range: number[]; limits?: number[] | null }) {
  const [low = 0, high = 1] = range;
  const width = high - low || 1;
  const left = Math.max(low - width * 0.35, limits?.[0] ?? -Infinity);
  const right = Math.min(high + width * 0.35, limits?.[1] ?? Infinity);
  const at = (v: number): number => ((Math.min(right, Math.max(left, v)) - left) / (right - left || 1)) * 100;
  const out = value < low || value > high;
  return (
    <span className={out ? "range-bar out" : "range-bar"} aria-hidden="true">
      <span className="range-band" style={{ left: `${at(low)}%`, width: `${at(high) - at(low)}%` }} />
      <span className="range-mark" style={{ left: `${at(value)}%` }} />
    </span>
  );
}
