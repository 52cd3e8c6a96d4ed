export interface Point {
  at: number;
  value: number | null;
}

/** A small trend against its normal range: gaps stay gaps, the last point is marked. */
export function Sparkline({
  points,
  range,
  from,
  to,
  width = 140,
  height = 32,
  label,
}: {
  points: Point[];
  range: number[] | null;
  from: number;
  to: number;
  width?: number;
  height?: number;
  label: string;
}) {
  const values = points.flatMap((p) => (p.value === null ? [] : [p.value]));
  if (values.length === 0) {
    return (
      <svg className="spark none" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
        <line x1="0" x2={width} y1={height / 2} y2={height / 2} />
      </svg>
    );
  }
  const low = Math.min(...values, range?.[0] ?? Infinity);
  const high = Math.max(...values, range?.[1] ?? -Infinity);
  const pad = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  const x = (at: number): number => ((at - from) / (to - from || 1)) * width;
  const y = (v: number): number => height - ((v - low + pad) / (high - low + 2 * pad)) * height;
  const last = [...points].reverse().find((p) => p.value !== null);
  const out = last && range && last.value !== null && (last.value < (range[0] ?? -Infinity) || last.value > (range[1] ?? Infinity));
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      {range ? (
        <rect className="spark-range" x="0" width={width} y={y(range[1] ?? high)} height={Math.max(1, y(range[0] ?? low) - y(range[1] ?? high))} />
      ) : null}
      <path className="spark-line" d={linePath(points, x, y)} vectorEffect="non-scaling-stroke" />
      {last && last.value !== null ? (
        // A stroke of no length with round ends: a dot that stays round however the drawing is stretched.
        <path className={out ? "spark-last out" : "spark-last"} d={`M${Math.min(width - 2.5, x(last.at)).toFixed(1)} ${y(last.value).toFixed(1)}h0`} vectorEffect="non-scaling-stroke" />
      ) : null}
    </svg>
  );
}

/** Path that lifts the pen where there is no value. */
export function linePath(points: Point[], x: (at: number) => number, y: (value: number) => number): string {
  let path = "";
  let down = false;
  for (const p of points) {
    if (p.value === null) {
      down = false;
      continue;
    }
    path += `${down ? "L" : "M"}${x(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`;
    down = true;
  }
  return path;
}
