import type { ControllerAnswer, ControllerComparison, ControllerDetail } from "../../api/types";
import { Card } from "../../parts/Card";
import { t } from "../../texts/en";
import { AnswerMark } from "./marks";
import { changesBetween } from "./runs";

const c = t.controllers.comparison;

interface ComparisonProps {
  comparison: ControllerComparison;
  newer: ControllerDetail;
  older: ControllerDetail | undefined;
  show: (run: string) => void;
}

/** What was wrong, and that it is fixed: two versions asked the same. */
export function Comparison({ comparison, newer, older, show }: ComparisonProps) {
  const before = comparison.older.version;
  const changes = older ? changesBetween(older.regions, newer.regions) : null;
  return (
    <Card title={c.title(before, newer.version)} label={c.title(before, newer.version)}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="table-scroll" tabIndex={0} role="group" aria-label={c.title(before, newer.version)}>
        <table className="plain-table compared">
          <thead>
            <tr>
              <th scope="col">{c.property}</th>
              <th scope="col">{t.controllers.player.version(before)}</th>
              <th scope="col">{t.controllers.player.version(newer.version)}</th>
              <th scope="col">{c.change}</th>
            </tr>
          </thead>
          <tbody>
            {comparison.properties.map((one) => (
              <tr key={one.name}>
                <td>
                  {one.text || one.name}
                  {one.meaning.length ? (
                    <span className="weak">
                      <br />
                      {c.differs}: {one.meaning.join("; ")}
                    </span>
                  ) : null}
                </td>
                <td>
                  <Side answer={one.older} run={`older:${one.name}`} show={show} />
                </td>
                <td>
                  <Side answer={one.newer} run={one.name} show={show} />
                </td>
                <td className={one.change === "mended" || one.change === "broken" ? "strong" : ""}>{one.change}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {comparison.gone.length ? <p className="outcome-no">{c.gone(comparison.gone.join(", "))}</p> : null}
      {changes ? (
        <>
          <h3>{c.states}</h3>
          {changes.length === 0 ? <p className="weak">{c.same}</p> : null}
          <ul className="way-changes">
            {changes.map((one) => (
              <li key={one.label}>
                <strong>{one.label}</strong> {one.older === null ? c.added : one.newer === null ? c.removed : c.changed}
                {one.older === null ? null : <del className="code">{one.older || c.noCondition}</del>}
                {one.newer === null ? null : <ins className="code">{one.newer || c.noCondition}</ins>}
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </Card>
  );
}

function Side({ answer, run, show }: { answer: ControllerAnswer | null; run: string; show: (run: string) => void }) {
  if (answer === null) return <span className="weak">{c.notAsked}</span>;
  return (
    <>
      <AnswerMark answer={answer} />
      {answer.counterexample ? (
        <button type="button" className="plain small" onClick={() => show(run)}>
          {t.controllers.answers.show}
        </button>
      ) : null}
    </>
  );
}
