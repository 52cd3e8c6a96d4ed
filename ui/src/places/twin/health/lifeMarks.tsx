import type { LearntLife, Urgency } from "../../../api/types";
import { linePath, type Point } from "../../../parts/Sparkline";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { parseInstant } from "../../../time/instant";
import { lifeUnit } from "./lifeWords";

const l = t.life;

/** How urgent it is: a shape, a colour and a word. */
export function UrgencyMark({ urgency }: { urgency: Urgency }) {
  return (
    <span className={`urgency ${urgency}`}>
      <span aria-hidden="true">{l.marks[urgency]}</span> {l.urgency[urgency]}
    </span>
  );
}

/** The interval on a scale that begins at the end of life. */
export function LifeBar({ said }: { said: LearntLife }) {
  const { low, high, expected } = said;
  if (low === null || high === null || expected === null) return null;
  const most = Math.max(high, said.warn ?? 0, ...said.course.map((p) => p.high ?? 0)) || 1;
  const place = (value: number): string => `${(100 * value) / most}%`;
  const unit = lifeUnit(said.unit);
  const label = `${l.scale}: ${l.to(formatNumber(low, 0), formatNumber(high, 0), unit)}, ${l.expected} ${formatNumber(expected, 0)}`;
  return (
    <figure className="life-scale" aria-label={label}>
      <div className="life-bar">
        <span className="life-band" style={{ left: place(low), width: `${Math.max(0.6, (100 * (high - low)) / most)}%` }} />
        <span className="life-expected" style={{ left: place(expected) }} />
        {said.warn === null ? null : <span className="life-warn" style={{ left: place(said.warn) }} title={l.warnAt(`${said.warn} ${unit}`)} />}
      </div>
      <figcaption className="life-ends weak num">
        <span>0</span>
        <span>
          {l.expected} {formatNumber(expected, 0)} {unit}
        </span>
        <span>
          {formatNumber(most, 0)} {unit}
        </span>
      </figcaption>
    </figure>
  );
}

const WIDTH = 640;
const HEIGHT = 120;

/** Earlier predictions of the same life: the band and the most likely value over time; gaps stay gaps. */
export function Course({ said, label }: { said: LearntLife; label: string }) {
  const all = said.course.map((p) => ({ ...p, ms: parseInstant(p.at) }));
  const begin = all.findIndex((p) => p.low !== null);
  const points = begin < 0 ? [] : all.slice(begin);
  const known = points.filter((p) => p.low !== null && p.high !== null);
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last || known.length < 3) return null;
  const most = Math.max(...known.map((p) => p.high ?? 0)) || 1;
  const x = (at: number): number => ((at - first.ms) / (last.ms - first.ms || 1)) * WIDTH;
  const y = (value: number): number => HEIGHT - (value / most) * (HEIGHT - 6);
  const line: Point[] = points.map((p) => ({ at: p.ms, value: p.expected }));
  const upper = known.map((p) => `${x(p.ms).toFixed(1)} ${y(p.high ?? 0).toFixed(1)}`);
  const lower = known.map((p) => `${x(p.ms).toFixed(1)} ${y(p.low ?? 0).toFixed(1)}`).reverse();
  return (
    <figure className="life-course">
      <figcaption className="weak">
        {l.course} ({formatNumber(most, 0)} {lifeUnit(said.unit)} – 0)
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
        <path className="life-course-band" d={`M${[...upper, ...lower].join("L")}Z`} />
        <path className="life-course-line" d={linePath(line, x, y)} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}
