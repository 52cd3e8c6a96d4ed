import { useRef } from "react";
import { formatNumber } from "../time/figure";
import { useWidth } from "./useWidth";

export interface Whisker {
  name: string;
  mean: number;
  low: number;
  high: number;
  /** Zero lies outside of the interval. */
  clear: boolean;
}

const ROW = 34;
const HEAD = 26;
const PAD = 12;

/** Differences with their intervals beside a line at zero: a dot for the mean, a whisker for the interval. */
export function DotWhisker({ rows, label, unit }: { rows: readonly Whisker[]; label: string; unit: string }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const names = Math.min(190, Math.max(90, width * 0.3));
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(0, ...rows.map((row) => row.high));
  const span = high - low || 1;
  const x = (value: number): number => names + PAD + ((value - low) / span) * Math.max(10, width - names - 2 * PAD - 8);
  const height = HEAD + rows.length * ROW + 6;
  const ticks = ticksOf(low, high, Math.max(3, Math.floor((width - names) / 90)));
  const decimals = ticks.length > 1 && Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) < 1 ? 2 : 0;
  return (
    <div ref={box} className="dot-whisker">
      {width ? (
        <svg width={width} height={height} role="img" aria-label={label}>
          {ticks.map((tick) => (
            <g key={tick}>
              <line x1={x(tick)} x2={x(tick)} y1={HEAD - 6} y2={height} className={tick === 0 ? "zero" : "rule"} />
              <text x={x(tick)} y={12} textAnchor="middle" className="tick">
                {formatNumber(tick, decimals)}
                {tick === ticks[ticks.length - 1] ? ` ${unit}` : ""}
              </text>
            </g>
          ))}
          {rows.map((row, i) => {
            const y = HEAD + i * ROW + ROW / 2;
            return (
              <g key={row.name} className={row.clear ? (row.mean > 0 ? "up" : "down") : "unclear"}>
                <text x={0} y={y + 4} className="name">
                  {row.name.length * 6.6 > names ? `${row.name.slice(0, Math.floor(names / 6.6) - 1)}…` : row.name}
                </text>
                <line x1={x(row.low)} x2={x(row.high)} y1={y} y2={y} className="whisker" />
                <line x1={x(row.low)} x2={x(row.low)} y1={y - 6} y2={y + 6} className="whisker" />
                <line x1={x(row.high)} x2={x(row.high)} y1={y - 6} y2={y + 6} className="whisker" />
                <circle cx={x(row.mean)} cy={y} r={5} className="dot" />
              </g>
            );
          })}
        </svg>
      ) : null}
    </div>
  );
}

/** About `wanted` round values from low to high, zero among them. */
export function ticksOf(low: number, high: number, wanted: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [0];
  const rough = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const found: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(n * step + 0);
  return found;
}
