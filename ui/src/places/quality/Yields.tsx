import { useRef } from "react";
import type { SharePoint, YieldAnswer } from "../../api/types";
import { useYield } from "../../data/quality";
import { Figure } from "../../figures/Figure";
import { Card, Facts } from "../../parts/Card";
import { useZone } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { useWidth } from "../../parts/useWidth";
import { Link, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { formatRatio } from "../../time/figure";
import { formatInstant, parseInstant } from "../../time/instant";
import { Pick } from "./Parts";

const y = t.quality.yields;
const c = t.quality.control;

/** First pass yield by machine, failed parts by hour, and why they failed. */
export function Yields() {
  const [hours, setHours] = useParam("hours", "24");
  const answer = useYield(Number(hours) || 24);
  return (
    <>
      <p className="weak lead-in">{y.lead}</p>
      <div className="toolbar">
        <Pick label={c.range} value={hours} options={Object.entries(c.hours).filter(([key]) => key)} onChange={setHours} />
      </div>
      <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
        {(found) => (found.steps.length ? <Shown found={found} /> : <Empty title={y.none} />)}
      </Loaded>
    </>
  );
}

function Shown({ found }: { found: YieldAnswer }) {
  const source = { url: found.provenance, title: y.fpy };
  return (
    <div className="columns">
      <div className="column">
        <Card title={y.over}>
          <Shares points={found.points} />
        </Card>
        <Card title={y.fpy}>
          <div className="grid-box">
            <table className="grid">
              <thead>
                <tr>
                  <th scope="col">{y.step}</th>
                  <th scope="col" className="right">
                    {y.fpy}
                  </th>
                  <th scope="col" className="right">
                    {y.good}
                  </th>
                  <th scope="col" className="right">
                    {y.entered}
                  </th>
                </tr>
              </thead>
              <tbody>
                {found.steps.map((step) => (
                  <tr key={step.step}>
                    <td>{step.step ? <Link place={`machines/${step.step}`}>{step.step}</Link> : "–"}</td>
                    <td className="right">
                      <Figure text={formatRatio(step.value)} unit="%" source={source} /> <span className="weak num">{step.low === null ? "" : `${formatRatio(step.low)} – ${formatRatio(step.high)} %`}</span>
                    </td>
                    <td className="right num">{step.good}</td>
                    <td className="right num">{step.entered}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Card>
      </div>
      <div className="column">
        <Card title={y.rolled}>
          <p>
            <Figure className="big" text={formatRatio(found.rolled)} unit="%" source={source} />
          </p>
        </Card>
        <Card title={y.reasons}>
          <Facts items={Object.entries(found.reasons).map(([reason, n]) => [reason, <span key={reason} className="num">{n}</span>])} />
        </Card>
      </div>
    </div>
  );
}

/** Bars of the share that failed, with the upper control limit of each; a bar that breaks a rule has a triangle. */
function Shares({ points }: { points: readonly SharePoint[] }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const zone = useZone();
  const height = 200;
  const top = Math.max(0.05, ...points.map((p) => Math.max(p.value, p.line.upper ?? 0)));
  const at = (v: number): number => 12 + (1 - v / top) * (height - 42);
  const step = (Math.max(width, 200) - 60) / Math.max(1, points.length);
  return (
    <div ref={box} className="control-chart">
      <svg width={width} height={height} role="img" aria-label={y.over}>
        {[0, top / 2, top].map((v) => (
          <g key={v} className="limit faint">
            <line x1={52} x2={width - 8} y1={at(v)} y2={at(v)} />
            <text x={46} y={at(v) + 4} textAnchor="end">
              {formatRatio(v)} %
            </text>
          </g>
        ))}
        {points.map((p, i) => {
          const x = 52 + i * step;
          const broken = p.rules.length > 0;
          return (
            <g key={p.start} className={broken ? "broken" : "share"}>
              <rect x={x + 1} y={at(p.value)} width={Math.max(1, step - 2)} height={Math.max(0, at(0) - at(p.value))} />
              {p.line.upper === null ? null : <line className="cap" x1={x} x2={x + step} y1={at(p.line.upper)} y2={at(p.line.upper)} />}
              {broken ? <path d={`M${x + step / 2} ${at(p.value) - 10}l5 8h-10z`} /> : null}
              <title>{`${formatInstant(parseInstant(p.start), zone, "minute")}: ${p.failed} / ${p.entered}${broken ? ` – ${p.rules.join(", ")}` : ""}`}</title>
            </g>
          );
        })}
        {points.length ? (
          <>
            <text className="time" x={52} y={height - 6}>
              {formatInstant(parseInstant(points[0]?.start ?? ""), zone, "minute")}
            </text>
            <text className="time" x={width - 8} y={height - 6} textAnchor="end">
              {formatInstant(parseInstant(points[points.length - 1]?.start ?? ""), zone, "minute")}
            </text>
          </>
        ) : null}
      </svg>
    </div>
  );
}
