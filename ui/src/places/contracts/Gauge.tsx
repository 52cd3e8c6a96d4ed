import { percent } from "./money";

interface GaugeProps {
  value: string | null;
  level: string;
  low?: number;
  high?: number;
  label: string;
}

/** A value against what was guaranteed, on the stretch that matters; the band is where it may end. */
export function Gauge({ value, level, low, high, label }: GaugeProps) {
  const now = value === null ? null : Number(value);
  const goal = Number(level);
  const from = Math.floor(Math.min(goal - 2, (now ?? goal) - 0.5, (low ?? goal) - 0.5));
  const place = (v: number): number => (100 * Math.min(1, Math.max(0, (v - from) / (100 - from))));
  const missed = now !== null && now < goal;
  return (
    <figure className="gauge" aria-label={label}>
      <div className="gauge-scale">
        {low !== undefined && high !== undefined ? (
          <span className="gauge-band" style={{ left: `${place(low)}%`, width: `${Math.max(0.5, place(high) - place(low))}%` }} />
        ) : null}
        <span className="gauge-goal" style={{ left: `${place(goal)}%` }}>
          <span className="gauge-word">{percent(level, 1)}</span>
        </span>
        {now === null ? null : <span className={missed ? "gauge-now missed" : "gauge-now"} style={{ left: `${place(now)}%` }} />}
      </div>
      <figcaption className="gauge-ends weak num">
        <span>{from} %</span>
        <span>100 %</span>
      </figcaption>
    </figure>
  );
}
