import type { CaseDetail, TwinDetail } from "../../api/types";
import { Card } from "../../parts/Card";
import { useAsOf } from "../../parts/Clock";
import { setParams } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";

const c = t.case;

/** Likely causes and places, ranked; only the violation is proven. */
export function Hypotheses({ one, twin }: { one: CaseDetail; twin: TwinDetail | undefined }) {
  const asOf = useAsOf();
  const mayTake = asOf === null && one.status !== "verified" && one.status !== "closed" && twin?.permitted.includes("treat");
  return (
    <Card title={c.hypotheses} className="hypotheses">
      {one.hypotheses.length === 0 ? <p className="weak">{c.noHypotheses}</p> : <p className="weak">{c.hypothesesLead}</p>}
      <ol>
        {one.hypotheses.map((h) => (
          <li key={`${h.kind} ${h.name}`}>
            <div className="hypothesis-head">
              <strong>{h.title || h.name}</strong> <span className="weak">{c.kinds[h.kind]}</span>
              <span className="spring" />
              <span className="num estimate">≈ {formatNumber(h.weight * 100, 0)} %</span>
            </div>
            <div className="hypothesis-bar" aria-hidden="true">
              <span style={{ width: `${Math.min(1, Math.max(0, h.weight)) * 100}%` }} />
            </div>
            {h.because.length ? (
              <ul className="because">
                {h.because.map((why) => (
                  <li key={why}>{why}</li>
                ))}
              </ul>
            ) : null}
            {h.remedy ? (
              <p>
                {c.remedy}: {h.remedy}
              </p>
            ) : null}
            {h.kind === "cause" && mayTake ? (
              <button type="button" className="plain" onClick={() => setParams({ act: "diagnose", cause: h.name })}>
                {c.take}
              </button>
            ) : null}
          </li>
        ))}
      </ol>
    </Card>
  );
}
