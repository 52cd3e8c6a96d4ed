import type { ControllerCheck } from "../../api/types";
import { Card } from "../../parts/Card";
import { t } from "../../texts/en";

const c = t.controllers;

/** What is wrong with the model whatever the properties say. */
export function Defects({ report, show }: { report: NonNullable<ControllerCheck["report"]>; show: (run: string) => void }) {
  return (
    <Card title={c.defects.title}>
      {report.findings.length === 0 ? <p className="weak">{c.defects.none}</p> : null}
      <ul className="answers">
        {report.findings.map((one, i) => (
          <li key={`${one.kind} ${one.subject}`}>
            <p>
              <strong>{one.message}</strong> <span className="weak">({one.proven ? c.defects.proven : c.defects.shown})</span>
            </p>
            {one.hint ? <p className="weak">{one.hint}</p> : null}
            {one.counterexample ? (
              <button type="button" className="plain" onClick={() => show(`defect:${i}`)}>
                {c.answers.show}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** How well the model explains what a machine did, and what it does not explain. */
export function Conformance({ conformance }: { conformance: NonNullable<ControllerCheck["conformance"]> }) {
  const shown = (values: Record<string, string>): string => Object.entries(values).map(([name, value]) => `${name}=${value}`).join(", ");
  return (
    <Card title={c.conformance.title}>
      <p>{conformance.note}.</p>
      {conformance.unexplained.length ? (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="table-scroll" tabIndex={0} role="group" aria-label={c.conformance.missing}>
          <table className="plain-table">
            <caption>{c.conformance.missing}</caption>
            <thead>
              <tr>
                <th scope="col">{c.conformance.before}</th>
                <th scope="col">{c.conformance.after}</th>
                <th scope="col">{c.conformance.count}</th>
              </tr>
            </thead>
            <tbody>
              {conformance.unexplained.map((one) => (
                <tr key={`${shown(one.before)} ${shown(one.after)}`}>
                  <td className="code">{shown(one.before)}</td>
                  <td className="code">{shown(one.after)}</td>
                  <td className="num">{one.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </Card>
  );
}

export function Limits({ limits, unsettled }: { limits: readonly string[]; unsettled: readonly string[] }) {
  return (
    <Card title={c.limits}>
      <ul className="limits">
        {[c.modelNote, ...limits].map((text) => (
          <li key={text}>{text}</li>
        ))}
        {unsettled.map((text) => (
          <li key={text}>
            <strong>{c.unsettled}:</strong> {text}
          </li>
        ))}
      </ul>
    </Card>
  );
}
