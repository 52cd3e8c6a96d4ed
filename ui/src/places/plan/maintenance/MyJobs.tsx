import { type FormEvent, useState } from "react";
import type { JobSheet } from "../../../api/types";
import { useCases } from "../../../data/cases";
import { closeJob, takePart, tick, useJobSheets } from "../../../data/maintenance";
import { Card } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { Link } from "../../../route/router";
import { useAccount } from "../../../session/session";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";
import "./maintenance.css";

const j = t.maintenance.jobs;

/** A technician's jobs in the order of their time, made for a phone. */
export default function MyJobs() {
  const account = useAccount();
  const mine = account.roles.includes("technician");
  const answer = useJobSheets(mine);
  return (
    <div className="maintenance jobs">
      <p className="weak">{mine ? j.lead : j.all}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
        {(found) =>
          found.items.length === 0 ? (
            <Empty title={j.none}>{j.noneHint}</Empty>
          ) : (
            found.items.map((sheet) => <Sheet key={sheet.order} sheet={sheet} reload={answer.reload} />)
          )
        }
      </Loaded>
    </div>
  );
}

function Sheet({ sheet, reload }: { sheet: JobSheet; reload: () => void }) {
  const [busy, setBusy] = useState(false);
  const run = (what: Promise<unknown>): void => {
    setBusy(true);
    what.then(reload, (error: Error) => notify(error.message, "error")).finally(() => setBusy(false));
  };
  const take = (part: string, quantity: number): void =>
    run(
      takePart(sheet.order, part, quantity).then((used) => {
        notify(used.order > 0 ? j.order(used.order) : j.taken(quantity, part), used.order > 0 ? "warning" : "success");
      }),
    );
  const used = (part: string): number => sheet.used.filter((one) => one.part === part).reduce((sum, one) => sum + Number(one.quantity), 0);
  return (
    <Card title={sheet.title} extra={sheet.from ? <Time at={sheet.from} precision="minute" zone /> : null}>
      <p>
        <Link place={`machines/${sheet.twin}`}>{sheet.twin}</Link>, {sheet.component}
        <span className="weak"> · {sheet.site}</span>
      </p>
      {sheet.procedure.length ? (
        <fieldset className="checklist">
          <legend>{j.checklist}</legend>
          {sheet.procedure.map((step) => (
            <label key={String(step.step)}>
              <input type="checkbox" checked={Boolean(step.done)} disabled={busy || Boolean(step.done)} onChange={() => run(tick(sheet.order, Number(step.step)))} />
              <span>
                {String(step.text)}
                {step.critical ? <em> ({j.critical})</em> : null}
              </span>
            </label>
          ))}
        </fieldset>
      ) : null}
      {sheet.planned_parts.length ? (
        <div className="row">
          {sheet.planned_parts.map((need) =>
            used(String(need.part)) >= Number(need.quantity) ? (
              <span key={String(need.part)}>✓ {j.taken(used(String(need.part)), String(need.part))}</span>
            ) : (
              <button key={String(need.part)} type="button" className="plain" disabled={busy} onClick={() => take(String(need.part), Number(need.quantity))}>
                {j.take(Number(need.quantity), String(need.part))}
              </button>
            ),
          )}
        </div>
      ) : null}
      {sheet.documents.length ? (
        <p>
          <span className="weak">{j.documents}: </span>
          {sheet.documents.join(", ")}
        </p>
      ) : null}
      <Close sheet={sheet} busy={busy} run={run} />
    </Card>
  );
}

function Close({ sheet, busy, run }: { sheet: JobSheet; busy: boolean; run: (what: Promise<unknown>) => void }) {
  const cases = useCases(sheet.twin, true);
  const [mended, setMended] = useState("");
  const [proof, setProof] = useState("");
  const [note, setNote] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    run(closeJob(sheet.order, { case: mended, proof, note }).then(() => notify(j.closed, "success")));
  };
  return (
    <form className="act-form" onSubmit={submit}>
      <label className="field">
        <span>{j.note}</span>
        <input type="text" value={note} maxLength={2000} onChange={(event) => setNote(event.target.value)} />
      </label>
      <label className="field">
        <span>{j.case}</span>
        <select value={mended} onChange={(event) => setMended(event.target.value)}>
          <option value="">{j.noCase}</option>
          {(cases.data ?? []).map((one) => (
            <option key={one.id} value={one.id}>
              {one.text || one.id}
            </option>
          ))}
        </select>
      </label>
      {mended ? (
        <label className="field">
          <span>{j.proof}</span>
          <input type="text" value={proof} maxLength={200} onChange={(event) => setProof(event.target.value)} />
        </label>
      ) : null}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {j.close}
        </button>
      </div>
    </form>
  );
}
