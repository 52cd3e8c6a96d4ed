import type { Schedule } from "../../api/types";
import { FileField } from "../../parts/FileField";
import { t } from "../../texts/en";

const b = t.plan.board;

/** A plan taken along in each of its forms, and brought back. */
export function PlanFiles({ plan, bring }: { plan: Schedule; bring: ((file: File) => void) | null }) {
  const base = `/api/v1/schedules/${encodeURIComponent(plan.id)}`;
  const forms = [
    { to: `${base}/table`, title: b.exports.table, name: `plan-${plan.id}.csv` },
    { to: `${base}/job-list`, title: b.exports.list, name: `job-list-${plan.id}.json` },
    { to: base, title: b.exports.plan, name: `plan-${plan.id}.json` },
    { to: `${base}/problem`, title: b.exports.problem, name: `problem-${plan.id}.json` },
  ];
  return (
    <section className="board-section board-files" aria-label={b.export}>
      <p className="weak">
        {b.export}{" "}
        {forms.map((form, n) => (
          <span key={form.title}>
            {n ? " · " : ""}
            <a href={form.to} download={form.name}>
              {form.title}
            </a>
          </span>
        ))}
      </p>
      {bring ? <FileField title={b.bring} hint={b.bringHint} accept=".csv,.json,text/csv,application/json" onFile={(file) => file && bring(file)} /> : null}
    </section>
  );
}
