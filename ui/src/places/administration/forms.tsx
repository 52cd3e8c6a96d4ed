import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError } from "../../api/client";
import { Card } from "../../parts/Card";
import { Problem } from "../../parts/Feedback";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";

export const ROLES = [
  "viewer", "operator", "production_manager", "maintenance", "procurement", "technician", "service_manager", "sales",
  "engineer", "trainer", "analyst", "administrator",
] as const;

/** A form with its own error place; empties itself when it has worked. */
export function AdminForm({ title, submit, children, label }: { title: string; label: string; submit: () => Promise<void>; children: ReactNode }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const onSubmit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await submit();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={title}>
      <form className="stack" onSubmit={(event) => void onSubmit(event)}>
        {children}
        <div>
          <button type="submit" className="primary" disabled={busy}>
            {label}
          </button>
        </div>
      </form>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}

export function Field({ label, value, onChange, type = "text", required = false, hint }: { label: string; value: string; onChange: (value: string) => void; type?: "text" | "password"; required?: boolean; hint?: string }) {
  return (
    <label className="field">
      <span>{label}</span>
      <input type={type} value={value} required={required} autoComplete="off" onChange={(e) => onChange(e.target.value)} />
      {hint ? <span className="weak">{hint}</span> : null}
    </label>
  );
}

export function RoleChoice({ chosen, onChange }: { chosen: readonly string[]; onChange: (next: string[]) => void }) {
  return (
    <fieldset className="choices two">
      <legend>{t.administration.roles}</legend>
      {ROLES.map((role) => (
        <label key={role}>
          <input
            type="checkbox"
            checked={chosen.includes(role)}
            onChange={(e) => onChange(e.target.checked ? [...chosen, role] : chosen.filter((one) => one !== role))}
          />
          {role.replace(/_/g, " ")}
        </label>
      ))}
    </fieldset>
  );
}

/** A secret that the node shows once and never again. */
export function Secret({ title, text, forget }: { title: string; text: string; forget: () => void }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      notify(t.administration.copied, "success");
    } catch {
      notify(t.linkNotCopied, "warning");
    }
  };
  return (
    <div className="secret" role="status">
      <p className="problem-title">{title}</p>
      <p className="code">{text}</p>
      <p className="weak">{t.administration.once}</p>
      <div className="row">
        <button type="button" className="plain" onClick={() => void copy()}>
          {t.administration.copy}
        </button>
        <button type="button" className="plain" onClick={forget}>
          {t.administration.stored}
        </button>
      </div>
    </div>
  );
}
