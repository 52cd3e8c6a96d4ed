import { useState } from "react";
import { ApiError, path, post } from "../../api/client";
import type { CaseAct, CaseDetail, TwinDetail } from "../../api/types";
import { reloadAll } from "../../data/query";
import { Card } from "../../parts/Card";
import { useAsOf } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { setParams, useParam } from "../../route/router";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { DiagnoseForm, DismissForm, type FormProps, RepairForm, ShelveForm, TextForm } from "./ActForms";
import { offered } from "./offered";

const a = t.caseActs;
/** What one visit of a technician settles for all that came together; to shelve or to close is said of each by itself. */
const SHARED: ReadonlySet<string> = new Set(["acknowledged", "diagnosed", "repaired"]);

/** What people do about a case; each step is kept with its author. */
export function Acts({ one, twin, reload }: { one: CaseDetail; twin: TwinDetail | undefined; reload: () => void }) {
  const asOf = useAsOf();
  const [chosen] = useParam("act");
  const [cause] = useParam("cause");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [together, setTogether] = useState(true);
  const related = one.related.filter((other) => other.status !== "verified" && other.status !== "closed");
  const acts = offered(one);
  const open = acts.find((act) => act === chosen && act !== "acknowledge");
  const close = (): void => {
    setProblem(null);
    setParams({ act: "", cause: "" });
  };
  const take = async (act: CaseAct): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      // The number says which step this person believes to take: two who act at once do not both win.
      const others = together && SHARED.has(act.kind) ? related.map((other) => ["also", other.id]) : [];
      const query = others.length ? `?${new URLSearchParams(others)}` : "";
      await post<CaseDetail>(path`/cases/${one.id}/steps` + query, { ...act, number: one.steps.length + 1 });
      notify(a.done, "success");
      close();
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  if (asOf !== null) return <p className="note">{a.onlyNow}</p>;
  if (!twin) return null;
  if (!twin.permitted.includes("treat")) return <p className="note">{a.notPermitted}</p>;
  const form: FormProps = { one, twin, busy, take: (act) => void take(act), cancel: close };
  return (
    <Card title={t.case.acts}>
      {one.status === "verified" || one.status === "closed" ? <p className="weak">{a.over}</p> : null}
      <div className="row acts">
        {acts.map((act) =>
          act === "acknowledge" ? (
            <button key={act} type="button" className="primary" disabled={busy} onClick={() => void take({ kind: "acknowledged", text: "" })}>
              {a.acknowledge}
            </button>
          ) : (
            <button key={act} type="button" className="plain" aria-expanded={open === act} onClick={() => (open === act ? close() : setParams({ act, cause: "" }))}>
              {a[act]}
            </button>
          ),
        )}
        {one.alarm === "shelved" ? (
          <button type="button" className="plain" disabled={busy} onClick={() => void take({ kind: "unshelved" })}>
            {a.unshelve}
          </button>
        ) : null}
      </div>
      {related.length && acts.length ? (
        <label className="row together">
          <input type="checkbox" checked={together} onChange={(event) => setTogether(event.target.checked)} />
          {a.together(related.length)}
        </label>
      ) : null}
      {one.severity === "safety" && acts.length > 1 ? <p className="weak hint">{a.safetyNotShelved}</p> : null}
      {open === "diagnose" ? <DiagnoseForm key={cause} {...form} /> : null}
      {open === "repair" ? <RepairForm {...form} /> : null}
      {open === "shelve" ? <ShelveForm {...form} /> : null}
      {open === "close" ? <TextForm {...form} label={a.reason} hint={one.source ? a.closeFoundHint : a.closeHint} act={(text) => ({ kind: "closed", text })} /> : null}
      {open === "dismiss" ? <DismissForm {...form} /> : null}
      {open === "note" ? <TextForm {...form} label={a.remark} hint="" act={(text) => ({ kind: "note", text })} /> : null}
      {problem ? <Problem error={problem} /> : null}
      {problem?.status === 409 ? (
        <button
          type="button"
          className="plain"
          onClick={() => {
            setProblem(null);
            reload();
          }}
        >
          {a.again}
        </button>
      ) : null}
    </Card>
  );
}
