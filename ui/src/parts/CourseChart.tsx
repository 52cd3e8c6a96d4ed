import { useRef } from "react";
import { formatNumber } from "../time/figure";
import { ticksOf } from "./DotWhisker";
import { useWidth } from "./useWidth";

/** Second, expected value, lower and upper end of what is allowed. */
export type Expected = readonly [number, number, number, number];
/** Second and value. */
export type Measured = readonly [number, number];

const HEIGHT = 220;
const LEFT = 52;
const BOTTOM = 22;
const TOP = 8;

/** An expected course with its band, and what was measured over it; points outside of the band are marked. */
export function CourseChart({ expected, measured = [], label }: { expected: readonly Expected[]; measured?: readonly Measured[]; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const first = expected[0]?.[0] ?? 0;
  const last = expected[expected.length - 1]?.[0] ?? 1;
  const values = [...expected.flatMap(([, , low, high]) => [low, high]), ...measured.map(([, value]) => value)];
  const least = Math.min(...values);
  const most = Math.max(...values);
  const slack = (most - least) * 0.05 || Math.abs(most) * 0.1 || 1;
  const [bottom, top] = [least - slack, most + slack];
  const x = (second: number): number => LEFT + ((second - first) / (last - first || 1)) * Math.max(10, width - LEFT - 12);
  const y = (value: number): number => TOP + ((top - value) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
  const line = (points: readonly Measured[]): string => points.map(([second, value], i) => `${i ? "L" : "M"}${x(second).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const edge = (at: 2 | 3): Measured[] => expected.map((row): Measured => [row[0], row[at]]);
  const rows = ticksOf(bottom, top, 4);
  const digits = digitsOf(rows);
  const seconds = ticksOf(first, last, Math.max(2, Math.floor(width / 110)));
  return (
    <div ref={box} className="course">
      {width && expected.length ? (
        <svg width={width} height={HEIGHT} role="img" aria-label={label}>
          {rows.map((tick) => (
            <g key={`y${tick}`}>
              <line x1={LEFT} x2={width - 12} y1={y(tick)} y2={y(tick)} className="rule" />
              <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end">
                {formatNumber(tick, digits)}
              </text>
            </g>
          ))}
          {seconds.map((tick) => (
            <text key={`x${tick}`} x={x(tick)} y={HEIGHT - 6} textAnchor="middle">
              {formatNumber(tick, digitsOf(seconds))} s
            </text>
          ))}
          <path d={`${line(edge(3))}${line([...edge(2)].reverse()).replace("M", "L")}Z`} className="band" />
          <path d={line(expected.map((row): Measured => [row[0], row[1]]))} className="simulated" />
          {measured.length ? <path d={line(measured)} className="measured" /> : null}
          {measured.map(([second, value]) =>
            isOutside(expected, second, value) ? (
              <circle key={second} cx={x(second)} cy={y(value)} r={4} className="outside" />
            ) : measured.length < 60 ? (
              <circle key={second} cx={x(second)} cy={y(value)} r={2.5} className="dot" />
            ) : null,
          )}
        </svg>
      ) : null}
    </div>
  );
}

function digitsOf(ticks: readonly number[]): number {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  return step > 0 ? Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))) : 0;
}

/** Whether a value lies outside of the band, which is straight from one point to the next. */
export function isOutside(expected: readonly Expected[], second: number, value: number): boolean {
  const after = expected.findIndex(([at]) => at >= second);
  if (after < 0) return false;
  const b = expected[after];
  const a = expected[Math.max(0, after - 1)];
  if (!a || !b) return false;
  const part = b[0] > a[0] ? (second - a[0]) / (b[0] - a[0]) : 0;
  return value < a[2] + part * (b[2] - a[2]) || value > a[3] + part * (b[3] - a[3]);
}
