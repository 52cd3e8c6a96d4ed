import { IxContentHeader } from "@siemens/ix-react";
import { useReleases } from "../../data/releases";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { ReleasePage } from "./ReleasePage";
import { StateWord } from "./StateWord";

const r = t.releases;

/** The place of releases: one of them, or all. Their ids have dots, so the query names them. */
export default function Releases() {
  const [id] = useParam("release");
  return id ? <ReleasePage key={id} id={id} /> : <All />;
}

/** Releases of machine types, and where each stands. */
function All() {
  const answer = useReleases();
  return (
    <>
      <IxContentHeader headerTitle={r.title} />
      <p className="weak">{r.lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={6} />}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={r.none}>{r.noneHint}</Empty>
          ) : (
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <div className="grid-box" tabIndex={0} role="group" aria-label={r.title}>
              <table className="grid">
                <thead>
                  <tr>
                    <th scope="col">{r.col.release}</th>
                    <th scope="col">{r.col.of}</th>
                    <th scope="col">{r.col.state}</th>
                    <th scope="col">{r.col.controller}</th>
                    <th scope="col">{r.col.by}</th>
                  </tr>
                </thead>
                <tbody>
                  {found.map((one) => (
                    <tr key={one.id}>
                      <td>
                        <Link place="releases" params={{ release: one.id }} className="strong">
                          {one.version}
                        </Link>
                        <div className="weak">{one.title}</div>
                      </td>
                      <td>{one.machine_type}</td>
                      <td>
                        <StateWord state={one.state} />
                      </td>
                      <td>{one.controller ? <Link place={`controllers/${one.controller}`}>{one.controller}</Link> : "–"}</td>
                      <td>
                        <Time at={one.at} precision="minute" />
                        <div className="weak">
                          {one.by}, {one.party}
                        </div>
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
