import type { CaseDetail, CaseSample, TwinDetail } from "../../api/types";
import { withQuery } from "../../api/client";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";
import { decimalsFor, formatNumber, unitText } from "../../time/figure";
import { later } from "../../time/instant";
import { FormulaText } from "./FormulaText";

const c = t.case;

/** Why the formula is false: its parts by verdict, and the smallest set of observations that alone make it so. */
export function Why({ one, twin }: { one: CaseDetail; twin: TwinDetail | undefined }) {
  const e = one.explanation;
  return (
    <Card title={c.why}>
      {one.formula ? <FormulaText formula={one.formula} explanation={e} /> : null}
      {one.words ? (
        <p>
          {c.inWords}: {one.words}
        </p>
      ) : null}
      {e ? (
        <>
          <p>
            {c.whyLead} <Time at={e.at} precision="ms" zone />:
          </p>
          <div className="scroll-x">
            <table className="plain-table samples">
              <thead>
                <tr>
                  <th scope="col">{c.signal}</th>
                  <th scope="col" className="right">
                    {c.value}
                  </th>
                  <th scope="col">{c.at}</th>
                </tr>
              </thead>
              <tbody>
                {e.samples.map((sample, i) => (
                  <Sample key={i} sample={sample} id={one.twin} twin={twin} />
                ))}
              </tbody>
            </table>
          </div>
        </>
      ) : (
        <p className="weak">{c.noWhy}</p>
      )}
      {one.digest ? (
        <p className="weak fingerprint">
          {c.digest} <span className="code">{one.digest}</span>
          {one.logic ? (
            <>
              {" "}
              · {c.logic} <span className="code">{one.logic}</span>
            </>
          ) : null}
        </p>
      ) : null}
    </Card>
  );
}

function Sample({ sample, id, twin }: { sample: CaseSample; id: string; twin: TwinDetail | undefined }) {
  const signal = twin?.signals.find((one) => one.name === sample.signal);
  const title = signal?.title || sample.signal;
  const url = withQuery("/api/v1/provenance", { kind: "signal", twin: id, signal: sample.signal, from: sample.time, to: later(sample.time, 1) });
  const source = { url: signal ? url : undefined, title: `${title} (${sample.signal})` };
  return (
    <tr>
      <th scope="row">
        {title} {title === sample.signal ? null : <span className="weak code">{sample.signal}</span>}
      </th>
      <td className="right">
        {sample.value === null ? (
          <span className="no-value">{c.unknown}</span>
        ) : typeof sample.value === "number" ? (
          <Figure text={formatNumber(sample.value, decimalsFor(sample.value, signal?.range, signal?.accuracy, sample.unit))} unit={unitText(sample.unit)} source={source} />
        ) : (
          <Figure text={typeof sample.value === "boolean" ? (sample.value ? t.yes : t.no) : sample.value} source={source} />
        )}
      </td>
      <td>
        <Time at={sample.time} precision="ms" />
      </td>
    </tr>
  );
}
