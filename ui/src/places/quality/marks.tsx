import type { PartSummary } from "../../api/types";
import { Time } from "../../parts/Clock";
import type { Column } from "../../parts/Grid";
import { Link } from "../../route/router";
import { t } from "../../texts/en";

const q = t.quality;

/** Good or failed, with a shape and a word. */
export function VerdictMark({ verdict }: { verdict: PartSummary["verdict"] }) {
  return <span className={verdict === "fail" ? "outcome-violated strong" : verdict ? "" : "weak"}>{q.verdicts[verdict]}</span>;
}

/** A link to the life of a part, batch, tool or container. */
export function PartLink({ part }: { part: Pick<PartSummary, "id" | "name"> }) {
  return (
    <Link place="quality" params={{ part: part.id }}>
      {part.name}
    </Link>
  );
}

export const partColumns: Column<PartSummary>[] = [
  { key: "name", title: q.parts.col.name, cell: (p) => <PartLink part={p} />, value: (p) => p.name, fixed: true },
  {
    key: "kind",
    title: q.parts.col.kind,
    cell: (p) => (
      <>
        <span aria-hidden="true">{q.kindMarks[p.kind]}</span> {q.kinds[p.kind]}
      </>
    ),
    value: (p) => p.kind,
  },
  { key: "product", title: q.parts.col.product, cell: (p) => p.product || <span className="weak">–</span>, value: (p) => p.product },
  { key: "machine", title: q.parts.col.machine, cell: (p) => (p.machine && !p.machine.includes(":") ? <Link place={`machines/${p.machine}`}>{p.machine}</Link> : p.machine || <span className="weak">–</span>), value: (p) => p.machine },
  { key: "made", title: q.parts.col.made, cell: (p) => (p.made ? <Time at={p.made} /> : <span className="weak">–</span>), value: (p) => p.made },
  { key: "verdict", title: q.parts.col.verdict, cell: (p) => <VerdictMark verdict={p.verdict} />, value: (p) => p.verdict },
  { key: "reason", title: q.parts.col.reason, cell: (p) => (p.verdict === "fail" ? p.reason : ""), value: (p) => p.reason },
];
