import type { SpcChart } from "../../api/types";
import { Figure } from "../../figures/Figure";
import { Card, Facts } from "../../parts/Card";
import { t } from "../../texts/en";
import { formatNumber, formatRatio, unitText } from "../../time/figure";
import { decimalsOf } from "./ControlChart";

const c = t.quality.control;
const INDICES = ["cpk", "cp", "ppk", "pp", "cm"] as const;
const LAST = 2.5;

/** Capability indices with their intervals on one scale, and what they rest on. */
export function CapabilityCard({ chart }: { chart: SpcChart }) {
  const found = chart.capability;
  if (!found) {
    return (
      <Card title={c.capability}>
        <p className="weak">{c.noTolerance}</p>
      </Card>
    );
  }
  const decimals = decimalsOf(chart);
  const unit = unitText(chart.unit);
  const source = { url: chart.provenance, title: c.capability };
  return (
    <Card title={c.capability}>
      {INDICES.map((name) => {
        const index = found[name];
        if (!index) return null;
        const bad = index.value < 1;
        const short = index.value < 1.33;
        const word = bad ? c.bad : short ? c.short : c.enough;
        return (
          <div key={name} className="index">
            <p>
              <span className="weak">{c.indices[name]}</span> <Figure text={index.value.toFixed(2)} source={source} />{" "}
              <span className={bad ? "outcome-violated" : short ? "outcome-no" : "weak"}>
                {bad ? "✕" : short ? "▲" : "✓"} {word}
              </span>
            </p>
            <Interval value={index.value} low={index.low} high={index.high} bad={bad} />
            {index.low !== null && index.high !== null ? <p className="weak num">{c.between(index.low.toFixed(2), index.high.toFixed(2))}</p> : null}
          </div>
        );
      })}
      <Facts
        items={[
          [c.values, <Figure key="n" text={formatNumber(found.count, 0)} source={source} />],
          [c.mean, <Figure key="m" text={formatNumber(found.mean, decimals)} unit={unit} source={source} />],
          [c.sigma, <Figure key="s" text={formatNumber(found.sigma_overall, decimals + 1)} unit={unit} source={source} />],
          [c.outside, <Figure key="o" text={formatRatio(found.outside, 2)} unit="%" source={source} />],
          [c.expected, <Figure key="e" text={formatRatio(found.expected_outside, 2)} unit="%" estimate source={source} />],
          [c.normality, found.normality === null ? "–" : found.normality < 0.001 ? "< 0.001" : found.normality.toFixed(3)],
        ]}
      />
      {found.warnings.map((w) => (
        <p key={w.code} className="note">
          {w.message}. {w.hint}
        </p>
      ))}
    </Card>
  );
}

function Interval({ value, low, high, bad }: { value: number; low: number | null; high: number | null; bad: boolean }) {
  const x = (v: number): number => (100 * Math.max(0, Math.min(LAST, v))) / LAST;
  return (
    <svg className="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect x="0" y="4" width="100" height="2" className="bar" />
      {[1, 1.33].map((v) => (
        <line key={v} x1={x(v)} x2={x(v)} y1="1" y2="9" className="mid" />
      ))}
      {low !== null && high !== null ? <rect x={x(low)} y="2.5" width={Math.max(0.5, x(high) - x(low))} height="5" className="span" /> : null}
      <rect x={x(value) - 0.5} y="0" width="1" height="10" className={bad ? "bad" : "good"} />
    </svg>
  );
}
