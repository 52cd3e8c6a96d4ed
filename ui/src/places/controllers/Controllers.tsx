import type { ControllerSummary } from "../../api/types";
import { useControllers } from "../../data/controllers";
import { ListPage } from "../../parts/ListPage";
import { Link } from "../../route/router";
import { t } from "../../texts/en";

const c = t.controllers;

/** Controllers in all versions, and how their last check went. */
export default function Controllers() {
  return (
    <ListPage
      title={c.title}
      lead={c.modelNote}
      answer={useControllers()}
      none={c.none}
      noneHint={c.noneHint}
      rowKey={(one) => one.reference}
      columns={[
        {
          title: c.col.name,
          cell: (one) => (
            <>
              <Link place={`controllers/${one.reference}`} className="strong">
                {one.title || one.name}
              </Link>{" "}
              <span className="weak code">{one.name}</span>
            </>
          ),
        },
        { title: c.col.version, className: "num", cell: (one) => one.version },
        { title: c.col.of, cell: (one) => (one.twin ? <Link place={`machines/${one.twin}`}>{one.twin}</Link> : c.type(one.machine_type)) },
        { title: c.col.properties, className: "num", cell: (one) => one.properties },
        { title: c.col.answers, cell: (one) => <Outcome one={one} /> },
      ]}
    />
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
