import { IxContentHeader } from "@siemens/ix-react";
import type { ControllerSummary } from "../../api/types";
import { useControllers } from "../../data/controllers";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";

const c = t.controllers;

/** Controllers in all versions, and how their last check went. */
export default function Controllers() {
  const answer = useControllers();
  return (
    <>
      <IxContentHeader headerTitle={c.title} />
      <p className="weak">{c.modelNote}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={6} />}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={c.none}>{c.noneHint}</Empty>
          ) : (
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <div className="grid-box" tabIndex={0} role="group" aria-label={c.title}>
              <table className="grid">
                <thead>
                  <tr>
                    <th scope="col">{c.col.name}</th>
                    <th scope="col">{c.col.version}</th>
                    <th scope="col">{c.col.of}</th>
                    <th scope="col">{c.col.properties}</th>
                    <th scope="col">{c.col.answers}</th>
                  </tr>
                </thead>
                <tbody>
                  {found.map((one) => (
                    <tr key={one.reference}>
                      <td>
                        <Link place={`controllers/${one.reference}`} className="strong">
                          {one.title || one.name}
                        </Link>{" "}
                        <span className="weak code">{one.name}</span>
                      </td>
                      <td className="num">{one.version}</td>
                      <td>{one.twin ? <Link place={`machines/${one.twin}`}>{one.twin}</Link> : c.type(one.machine_type)}</td>
                      <td className="num">{one.properties}</td>
                      <td>
                        <Outcome one={one} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </>
  );
}

function Outcome({ one }: { one: ControllerSummary }) {
  if (one.proven === null) return <span className="weak">{c.notChecked}</span>;
  return (
    <>
      {one.violated ? <strong className="outcome-violated">✕ {c.violated(one.violated)} · </strong> : null}
      {c.proven(one.proven, one.properties)}
      {one.not_settled ? ` · ${c.notSettled(one.not_settled)}` : ""}
    </>
  );
}
