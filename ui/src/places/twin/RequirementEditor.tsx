import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError, path, put, remove } from "../../api/client";
import type { Severity, TwinDetail } from "../../api/types";
import type { Requirement } from "../../data/cases";
import { Card } from "../../parts/Card";
import { useAsOf } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { SEVERITIES } from "../cases/marks";
import { FormulaField } from "./FormulaField";
import { TryOutCard } from "./TryOutCard";
import { useFormulaCheck } from "./useFormulaCheck";

const r = t.requirements;

interface EditorProps {
  twin: TwinDetail;
  /** Absent: a new one. */
  one: Requirement | undefined;
  close: () => void;
  done: () => void;
}

/** A requirement in plain words and as a formula that is checked while it is typed and tried on the past. */
export function RequirementEditor({ twin, one, close, done }: EditorProps) {
  const past = useAsOf() !== null;
  const ofType = one?.source === "type";
  const [name, setName] = useState(ofType ? "" : (one?.name ?? ""));
  const [text, setText] = useState(one?.text ?? "");
  const [formula, setFormula] = useState(one?.formula ?? "");
  const [severity, setSeverity] = useState<Severity>(one?.severity ?? "medium");
  const [when, setWhen] = useState(one?.repair.when ?? "");
  const [times, setTimes] = useState(String(one?.repair.times ?? 3));
  const [lasting, setLasting] = useState(String(one?.repair.lasting_s ?? 0));
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const component = one?.component ?? "";
  const check = useFormulaCheck(twin.id, component, formula);
  const faulty = check.faults.length > 0;
  const mayNot = !twin.permitted.includes("configure");
  const change = async (act: () => Promise<unknown>, message: string): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
      notify(message, "success");
      done();
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const rule = { when, times: Number(times), lasting_s: Number(lasting) };
    void change(() => put(path`/twins/${twin.id}/requirements/${name.trim()}`, { text, formula, severity, repair: rule }), r.saved(name.trim()));
  };
  return (
    <>
      <p>
        <button type="button" className="plain" onClick={close}>
          ◀ {r.back}
        </button>
      </p>
      {ofType ? <p className="note">{r.readOnly}</p> : null}
      <div className="columns even">
        <Card title={one && !ofType ? `${r.edit}: ${one.name}` : r.add}>
          <form className="act-form one-column" onSubmit={submit}>
            <FormulaField value={formula} onChange={setFormula} check={check} />
            <Field label={r.text} hint={r.textHint}>
              <input type="text" value={text} required maxLength={500} onChange={(event) => setText(event.target.value)} />
            </Field>
            <div className="pair">
              <Field label={r.name} hint={r.nameHint}>
                <input type="text" value={name} required pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*" maxLength={200} disabled={one !== undefined && !ofType} onChange={(event) => setName(event.target.value)} />
              </Field>
              <Field label={r.severity} hint="">
                <select value={severity} onChange={(event) => setSeverity(event.target.value as Severity)}>
                  {SEVERITIES.map((level) => (
                    <option key={level} value={level}>
                      {t.severities[level]}
                    </option>
                  ))}
                </select>
              </Field>
            </div>
            <fieldset className="rule-fields">
              <legend>{r.repairRule}</legend>
              <Field label={r.when} hint={r.whenHint}>
                <input type="text" className="code" value={when} maxLength={2000} spellCheck={false} onChange={(event) => setWhen(event.target.value)} />
              </Field>
              <div className="pair">
                <Field label={r.timesField} hint="">
                  <input type="number" min={1} max={1000} step={1} required value={times} onChange={(event) => setTimes(event.target.value)} />
                </Field>
                <Field label={r.lastingField} hint="">
                  <input type="number" min={0} step="any" required value={lasting} onChange={(event) => setLasting(event.target.value)} />
                </Field>
              </div>
            </fieldset>
            <div className="row">
              <button type="submit" className="primary" disabled={busy || mayNot || past || faulty || formula.trim() === ""}>
                {r.save}
              </button>
              {one && !ofType && !mayNot && !past ? (
                <button type="button" className="plain" disabled={busy} onClick={() => (sure ? void change(() => remove(path`/twins/${twin.id}/requirements/${one.name}`), r.removed(one.name)) : setSure(true))}>
                  {sure ? r.removeSure : r.remove}
                </button>
              ) : null}
              <span className="weak">{mayNot ? r.notPermitted : past ? r.onlyNow : ""}</span>
            </div>
          </form>
          {problem ? <Problem error={problem} /> : null}
        </Card>
        <TryOutCard twin={twin.id} component={component} formula={formula} signals={check.answer?.signals ?? []} ready={check.fine} />
      </div>
    </>
  );
}

function Field({ label, hint, children }: { label: string; hint: string; children: ReactNode }) {
  return (
    <label className="field">
      <span>
        {label}
        {hint ? <span className="weak"> · {hint}</span> : null}
      </span>
      {children}
    </label>
  );
}
