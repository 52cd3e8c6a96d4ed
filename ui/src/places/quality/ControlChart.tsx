import { useRef } from "react";
import type { SpcChart, SpcPoint } from "../../api/types";
import { useZone } from "../../parts/Clock";
import { useWidth } from "../../parts/useWidth";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { formatInstant, parseInstant } from "../../time/instant";

const c = t.quality.control;
const LEFT = 76;
const RIGHT = 16;

/** Decimals that tell a sigma apart. */
export function decimalsOf(chart: SpcChart): number {
  const width = Math.abs((chart.location.upper ?? chart.location.centre) - chart.location.centre) / 3;
  return width > 0 ? Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(width)))) : 3;
}

/** Points in order with centre line, control limits and tolerance; a point that breaks a rule is a triangle with the rule's number. */
export function ControlChart({ chart, of }: { chart: SpcChart; of: "location" | "spread" }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const zone = useZone();
  const main = of === "location";
  const height = main ? 300 : 150;
  const line = chart[of];
  const values = chart.points.map((p) => (main ? p.value : p.spread));
  const marks = [...values, line.centre, line.lower, line.upper, ...(main ? [chart.tolerance.lower, chart.tolerance.upper] : [])].filter((v): v is number => v !== null);
  const low = Math.min(...marks);
  const high = Math.max(...marks);
  const pad = (high - low || 1) * 0.06;
  const y = (v: number): number => 14 + ((high + pad - v) / (high - low + 2 * pad)) * (height - 40);
  const n = Math.max(1, values.length - 1);
  const x = (i: number): number => LEFT + (i / n) * (Math.max(width, 200) - LEFT - RIGHT);
  const decimals = decimalsOf(chart);
  const lines: [string, number | null, string][] = [
    [c.centre, line.centre, "centre"],
    [c.upper, line.upper, "limit"],
    [c.lower, line.lower, "limit"],
    ...(main ? ([[c.usl, chart.tolerance.upper, "tolerance"], [c.lsl, chart.tolerance.lower, "tolerance"]] as [string, number | null, string][]) : []),
  ];
  const times = [0, Math.floor(n / 2), n].filter((i, k, all) => all.indexOf(i) === k && chart.points[i] && (width > 420 || i !== Math.floor(n / 2)));
  return (
    <div ref={box} className="control-chart">
      <svg width={width} height={height} role="img" aria-label={`${main ? c.title[chart.kind] : c.spread[chart.kind]}: ${c.broken(chart.points.filter((p) => rulesOf(p, main).length).length)}`}>
        {lines.map(([title, value, kind]) =>
          value === null ? null : (
            <g key={title} className={kind}>
              <line x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
              <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">
                {formatNumber(value, decimals)}
              </text>
              <title>{title}</title>
            </g>
          ),
        )}
        <polyline className="path" points={values.map((v, i) => `${x(i)},${y(v)}`).join(" ")} />
        {chart.points.map((p, i) => {
          const rules = rulesOf(p, main);
          const at = { x: x(i), y: y(values[i] as number) };
          const title = `${formatInstant(parseInstant(p.end), zone)}: ${formatNumber(values[i] as number, decimals)}${rules.length ? ` – ${rules.join(", ")}` : ""}`;
          return rules.length ? (
            <g key={p.end + i} className="broken">
              <path d={`M${at.x} ${at.y - 6}l6 10h-12z`} />
              {chart.points.length < 150 || width / chart.points.length > 7 ? (
                <text x={at.x} y={at.y - 9} textAnchor="middle">
                  {numberOf(rules[0] ?? "")}
                </text>
              ) : null}
              <title>{title}</title>
            </g>
          ) : (
            <circle key={p.end + i} className="point" cx={at.x} cy={at.y} r={chart.points.length > 300 ? 1.5 : 2.5}>
              <title>{title}</title>
            </circle>
          );
        })}
        {times.map((i) => (
          <text key={i} className="time" x={x(i)} y={height - 6} textAnchor={i === 0 ? "start" : i === n ? "end" : "middle"}>
            {formatInstant(parseInstant((chart.points[i] as SpcPoint).end), zone, "minute")}
          </text>
        ))}
      </svg>
    </div>
  );
}

const rulesOf = (p: SpcPoint, main: boolean): readonly string[] => (main ? p.rules : p.spread_rules);

const numberOf = (rule: string): string => rule.split("-").pop() ?? "";
