import { useReleases } from "../../data/releases";
import { Time } from "../../parts/Clock";
import { ListPage } from "../../parts/ListPage";
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
  return (
    <ListPage
      title={r.title}
      lead={r.lead}
      answer={useReleases()}
      none={r.none}
      noneHint={r.noneHint}
      rowKey={(one) => one.id}
      columns={[
        {
          title: r.col.release,
          className: "wraps",
          cell: (one) => (
            <>
              <Link place="releases" params={{ release: one.id }} className="strong">
                {one.version}
              </Link>
              <div className="weak">{one.title}</div>
            </>
          ),
        },
        { title: r.col.state, cell: (one) => <StateWord state={one.state} /> },
        { title: r.col.of, cell: (one) => one.machine_type },
        { title: r.col.controller, cell: (one) => (one.controller ? <Link place={`controllers/${one.controller}`}>{one.controller}</Link> : "–") },
        {
          title: r.col.by,
          cell: (one) => (
            <>
              <Time at={one.at} precision="minute" />
              <div className="weak">
                {one.by}, {one.party}
              </div>
            </>
          ),
        },
      ]}
    />
  );
}
