import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { CaseAct, CaseDetail, TwinDetail } from "../../api/types";
import { useMoment, useZone } from "../../parts/Clock";
import { useParam } from "../../route/router";
import { useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { parseLocal, parseSpan, toRfc3339, zoneLabel } from "../../time/instant";
import { NormalSince, useNormalSince } from "./NormalSince";

const a = t.caseActs;

export interface FormProps {
  one: CaseDetail;
  twin: TwinDetail;
  busy: boolean;
  take: (act: CaseAct) => void;
  cancel: () => void;
}

function Form({ busy, cancel, submit, hint, children }: Pick<FormProps, "busy" | "cancel"> & { submit: () => void; hint: string; children: ReactNode }) {
  return (
    <form
      className="act-form"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        submit();
      }}
    >
      {children}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {a.save}
        </button>
        <button type="button" className="plain" onClick={cancel}>
          {a.cancel}
        </button>
        {hint ? <span className="weak">{hint}</span> : null}
      </div>
    </form>
  );
}

function ComponentField({ twin, value, onChange }: { twin: TwinDetail; value: string; onChange: (component: string) => void }) {
  return (
    <label className="field">
      <span>{a.component}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{a.wholeMachine}</option>
        {twin.components.map((component) => (
          <option key={component.path} value={component.path}>
            {component.title || component.path}
          </option>
        ))}
      </select>
    </label>
  );
}

function TextField({ label, value, onChange, required = false, list }: { label: string; value: string; onChange: (text: string) => void; required?: boolean; list?: string[] }) {
  const id = useId();
  return (
    <label className="field">
      <span>{label}</span>
      <input type="text" value={value} required={required} maxLength={2000} list={list?.length ? id : undefined} onChange={(event) => onChange(event.target.value)} />
      {list?.length ? (
        <datalist id={id}>
          {list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      ) : null}
    </label>
  );
}

/** A reason or a remark. */
export function TextForm({ busy, take, cancel, label, hint, act }: FormProps & { label: string; hint: string; act: (text: string) => CaseAct }) {
  const [text, setText] = useState("");
  return (
    <Form busy={busy} cancel={cancel} submit={() => take(act(text))} hint={hint}>
      <TextField label={label} value={text} onChange={setText} required />
    </Form>
  );
}

export function ShelveForm({ busy, take, cancel }: FormProps) {
  const [span, setSpan] = useState<keyof typeof a.durations>("8h");
  const [text, setText] = useState("");
  return (
    <Form busy={busy} cancel={cancel} submit={() => take({ kind: "shelved", until: toRfc3339(Date.now() + (parseSpan(span) ?? 0)), text })} hint={a.reasonHint}>
      <label className="field">
        <span>{a.duration}</span>
        <select value={span} onChange={(event) => setSpan(event.target.value as keyof typeof a.durations)}>
          {Object.entries(a.durations).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <TextField label={a.reason} value={text} onChange={setText} required />
    </Form>
  );
}

export function DiagnoseForm({ one, twin, busy, take, cancel }: FormProps) {
  const causes = one.hypotheses.filter((h) => h.kind === "cause");
  const [asked] = useParam("cause");
  const [cause, setCause] = useState(causes.some((h) => h.name === asked) ? asked : "");
  const [component, setComponent] = useState(one.component);
  const [text, setText] = useState("");
  return (
    <Form busy={busy} cancel={cancel} submit={() => take({ kind: "diagnosed", component, cause, text })} hint="">
      <label className="field">
        <span>{a.cause}</span>
        <select value={cause} onChange={(event) => setCause(event.target.value)}>
          {causes.map((h) => (
            <option key={h.name} value={h.name}>
              {h.title || h.name}
            </option>
          ))}
          <option value="">{a.ownWords}</option>
        </select>
      </label>
      <TextField label={cause ? a.remark : a.ownWords} value={text} onChange={setText} required={cause === ""} />
      <ComponentField twin={twin} value={component} onChange={setComponent} />
    </Form>
  );
}

/** What a service found is no fault: it happened once, or it is normal from then on. */
export function DismissForm({ one, busy, take, cancel }: FormProps) {
  const [text, setText] = useState("");
  const [normal, setNormal] = useState(one.active);
  const first = one.findings.at(-1)?.from ?? one.opened;
  const since = useNormalSince(first);
  const submit = (): void => {
    const at = normal ? since.read() : null;
    if (at !== undefined) take({ kind: "dismissed", text, normal_since: normal ? (at ?? first) : null });
  };
  return (
    <Form busy={busy} cancel={cancel} submit={submit} hint={a.dismissHint}>
      <TextField label={a.reason} value={text} onChange={setText} required />
      <fieldset className="row change-kinds">
        <legend className="hidden">{a.dismiss}</legend>
        {[false, true].map((choice) => (
          <label key={String(choice)} className="check">
            <input type="radio" name="normal" checked={normal === choice} onChange={() => setNormal(choice)} />
            {choice ? a.isNormal : a.once}
          </label>
        ))}
      </fieldset>
      {normal ? <NormalSince state={since} /> : null}
    </Form>
  );
}

const CHANGES = ["part", "parameter", "software"] as const;

export function RepairForm({ one, twin, busy, take, cancel }: FormProps) {
  const account = useAccount();
  const zone = useZone();
  const now = useMoment(60_000);
  const said = one.diagnosis?.component;
  const [component, setComponent] = useState(typeof said === "string" ? said : one.component);
  const [change, setChange] = useState<(typeof CHANGES)[number]>("part");
  const [what, setWhat] = useState("");
  const [version, setVersion] = useState("");
  const [by, setBy] = useState(account.name);
  const [at, setAt] = useState("");
  const [text, setText] = useState("");
  const [bad, setBad] = useState(false);
  const parts = twin.components.find((one) => one.path === component)?.service_parts ?? [];
  const submit = (): void => {
    const instant = at.trim() ? parseLocal(at, zone) : null;
    const wrong = instant !== null && !Number.isFinite(instant);
    setBad(wrong);
    if (wrong) return;
    take({ kind: "repaired", component, what, change, version, done_by: by, done_at: instant === null ? null : toRfc3339(instant), text });
  };
  return (
    <Form busy={busy} cancel={cancel} submit={submit} hint={one.source ? a.repairFoundHint : a.repairHint}>
      <fieldset className="row change-kinds">
        <legend className="hidden">{a.what}</legend>
        {CHANGES.map((kind) => (
          <label key={kind} className="check">
            <input type="radio" name="change" checked={change === kind} onChange={() => setChange(kind)} />
            {t.case.changes[kind]}
          </label>
        ))}
      </fieldset>
      <TextField label={a.what} value={what} onChange={setWhat} required list={change === "part" ? parts : undefined} />
      <TextField label={a.version} value={version} onChange={setVersion} />
      <ComponentField twin={twin} value={component} onChange={setComponent} />
      <TextField label={a.doneBy} value={by} onChange={setBy} />
      <label className="field">
        <span>
          {a.doneAt} ({a.doneAtHint(zoneLabel(zone, now))})
        </span>
        <input type="text" placeholder="2026-09-21 08:15" value={at} aria-invalid={bad} onChange={(event) => setAt(event.target.value)} />
        {bad ? <span className="field-problem">{a.badTime}</span> : null}
      </label>
      <TextField label={a.remark} value={text} onChange={setText} />
    </Form>
  );
}
