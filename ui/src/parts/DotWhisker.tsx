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
const LINE = 17;
const HEAD = 26;
const PAD = 12;
/** Width of a letter at most, on average over a name. */
const LETTER = 7;
const SHARE_OF_NAMES = 0.35;

/**
 * Differences with their intervals beside a line at zero: a dot for the mean, a whisker for the interval. Names stand
 * before their whiskers; where they are too long for that, above them. They are never cut.
 */
export function DotWhisker({ rows, label, unit }: { rows: readonly Whisker[]; label: string; unit: string }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const longest = LETTER * Math.max(...rows.map((row) => row.name.length));
  const above = longest > width * SHARE_OF_NAMES;
  const names = above ? 0 : longest;
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(0, ...rows.map((row) => row.high));
  const span = high - low || 1;
  const x = (value: number): number => names + PAD + ((value - low) / span) * Math.max(10, width - names - 2 * PAD - 8);
  const laid = layOut(rows, above ? Math.floor(width / LETTER) : 0);
  const height = HEAD + laid.height + 6;
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
            const { lines, top } = laid.rows[i] ?? { lines: [], top: 0 };
            const y = HEAD + top + lines.length * LINE + ROW / 2;
            return (
              <g key={row.name} className={row.clear ? (row.mean > 0 ? "up" : "down") : "unclear"}>
                {lines.length === 0 ? (
                  <text x={0} y={y + 4} className="name">
                    {row.name}
                  </text>
                ) : (
                  lines.map((line, n) => (
                    <text key={`${n} ${line}`} x={0} y={HEAD + top + (n + 1) * LINE} className="name">
                      {line}
                    </text>
                  ))
                )}
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

/** Where each row begins, and the lines of a name above its whisker; `letters` fit a line, 0: names stand before. */
function layOut(rows: readonly Whisker[], letters: number): { rows: { lines: string[]; top: number }[]; height: number } {
  let height = 0;
  const laid = rows.map((row) => {
    const lines = letters ? linesOf(row.name, letters) : [];
    const top = height;
    height += ROW + lines.length * LINE;
    return { lines, top };
  });
  return { rows: laid, height };
}

/** A text in lines of at most `letters`, broken between words; a word longer than that is broken inside. */
export function linesOf(text: string, letters: number): string[] {
  const room = Math.max(1, letters);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    let rest = word;
    if (line && line.length + 1 + rest.length > room) {
      lines.push(line);
      line = "";
    }
    for (; rest.length > room; rest = rest.slice(room)) lines.push(rest.slice(0, room));
    line = line ? `${line} ${rest}` : rest;
  }
  return line ? [...lines, line] : lines;
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
