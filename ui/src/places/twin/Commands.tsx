import { type FormEvent, useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { Command, CommandShape, Page, ParameterShape, TwinDetail } from "../../api/types";
import { useQuery } from "../../data/query";
import { useHappened } from "../../live/live";
import { Card } from "../../parts/Card";
import { Time, useAsOf } from "../../parts/Clock";
import { Loaded, Problem } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { unitText } from "../../time/figure";
import { formatDuration, parseInstant } from "../../time/instant";

const c = t.commands;

/** What the machine accepts, what it costs in risk, and what became of what was sent. */
export function Commands({ twin }: { twin: TwinDetail }) {
  const asOf = useAsOf();
  const sent = useQuery(`commands ${twin.id}`, (signal) => get<Page<Command>>(path`/twins/${twin.id}/commands`, { limit: 50 }, signal), asOf === null ? 2000 : 0);
  const { reload } = sent;
  useHappened((event) => {
    if (event.kind.startsWith("command")) reload();
  });
  return (
    <div className="columns even">
      <div className="column">
        {asOf === null ? null : <p className="note">{c.onlyNow}</p>}
        {twin.commands.map((command) => (
          <CommandForm key={command.name} twin={twin} command={command} done={reload} past={asOf !== null} />
        ))}
      </div>
      <Card title={c.history}>
        <Loaded answer={sent}>
          {(page) => {
            const shown = page.items.filter((one) => asOf === null || parseInstant(one.issued) <= asOf);
            if (shown.length === 0) return <p className="weak">{c.none}</p>;
            return (
              <ul className="sent">
                {shown.map((one) => (
                  <Sent key={one.id} command={one} />
                ))}
              </ul>
            );
          }}
        </Loaded>
      </Card>
    </div>
  );
}

function CommandForm({ twin, command, done, past }: { twin: TwinDetail; command: CommandShape; done: () => void; past: boolean }) {
  const [values, setValues] = useState<Record<string, string | boolean>>(() => defaults(command.parameters));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [key, setKey] = useState(() => crypto.randomUUID());
  const never = command.risk === "safety";
  const mayNot = !twin.permitted.includes("command");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      // The same key until an answer came: a second click, or a retry after a lost answer, is the same command.
      await post<Command>(path`/twins/${twin.id}/commands/${command.name}`, { parameters: typed(command.parameters, values) }, { "Idempotency-Key": key });
      setKey(crypto.randomUUID());
      done();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status > 0) setKey(crypto.randomUUID());
      setProblem(error);
      done();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card
      title={command.title || command.name}
      extra={
        <span className={`risk risk-${command.risk}`} title={c.riskHints[command.risk]}>
          {c.risk}: {c.risks[command.risk]}
        </span>
      }
    >
      <form className="command-form" onSubmit={(event) => void submit(event)}>
        {command.parameters.map((parameter) => (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            value={values[parameter.name] ?? ""}
            onChange={(value) => setValues({ ...values, [parameter.name]: value })}
          />
        ))}
        <div className="row">
          <button type="submit" className="primary" disabled={busy || never || past || mayNot}>
            {busy ? c.sending : c.send}
          </button>
          <span className="weak">{mayNot ? c.notPermitted : never || command.risk === "motion" ? c.riskHints[command.risk] : ""}</span>
        </div>
      </form>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}

function ParameterField({ parameter: p, value, onChange }: { parameter: ParameterShape; value: string | boolean; onChange: (value: string | boolean) => void }) {
  const unit = unitText(p.unit);
  const bounds = p.minimum !== null && p.maximum !== null ? ` ${p.minimum} … ${p.maximum}` : "";
  const label = `${p.name.replace(/_/g, " ")}${unit || bounds ? ` [${`${unit}${bounds}`.trim()}]` : ""}`;
  if (p.type === "flag") {
    return (
      <label className="check">
        <input type="checkbox" checked={value === true} onChange={(e) => onChange(e.target.checked)} />
        {label}
      </label>
    );
  }
  return (
    <label className="field">
      <span>{label}</span>
      {p.values.length ? (
        <select value={String(value)} required={p.required} onChange={(e) => onChange(e.target.value)}>
          {p.values.map((word) => (
            <option key={word}>{word}</option>
          ))}
        </select>
      ) : (
        <input
          type={p.type === "number" ? "number" : "text"}
          step="any"
          min={p.minimum ?? undefined}
          max={p.maximum ?? undefined}
          required={p.required}
          value={String(value)}
          onChange={(e) => onChange(e.target.value)}
        />
      )}
    </label>
  );
}

function defaults(parameters: readonly ParameterShape[]): Record<string, string | boolean> {
  return Object.fromEntries(parameters.map((p) => [p.name, p.type === "flag" ? false : (p.values[0] ?? "")]));
}

/** The form's texts as the API's types; what is empty and not required is left out. */
export function typed(parameters: readonly ParameterShape[], values: Readonly<Record<string, string | boolean>>): Record<string, number | string | boolean> {
  const out: Record<string, number | string | boolean> = {};
  for (const p of parameters) {
    const value = values[p.name];
    if (value === undefined || (value === "" && !p.required)) continue;
    out[p.name] = p.type === "number" ? Number(value) : value;
  }
  return out;
}

const STEPS = ["sent", "acknowledged", "effective"] as const;

function Sent({ command }: { command: Command }) {
  const bad = ["refused", "rejected", "timed_out", "without_effect"].includes(command.status);
  const parameters = Object.entries(command.parameters).map(([name, value]) => `${name} ${String(value)}`);
  return (
    <li className={bad ? "sent-one bad" : "sent-one"}>
      <div className="sent-head">
        <strong>{command.name}</strong> <span className="num">{parameters.join(", ")}</span>
        <span className="spring" />
        <span className={bad ? "pill warning" : "pill quiet"}>{c.statuses[command.status]}</span>
      </div>
      <p className="weak">
        <Time at={command.issued} /> · {command.issued_by} ({c.issuers[command.issuer]})
      </p>
      {bad ? (
        <p>
          {command.reason_text || c.statusHints[command.status as keyof typeof c.statusHints] || ""} <span className="weak code">{command.reason}</span>
        </p>
      ) : (
        <ol className="steps">
          {STEPS.map((step) => (
            <li key={step} className={stepTime(command, step) ? "done" : ""}>
              <span>{c.statuses[step]}</span>
              <span className="weak num">{stepText(command, step)}</span>
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

function stepTime(command: Command, step: (typeof STEPS)[number]): string | null {
  if (step === "sent") return command.sent ?? null;
  return (step === "acknowledged" ? command.answered : command.effect_seen) ?? null;
}

function stepText(command: Command, step: (typeof STEPS)[number]): string {
  const at = stepTime(command, step);
  if (!at) return step === "effective" && command.effect_signal ? c.waitsFor(command.effect_signal) : "";
  return step === "sent" ? "" : `+${formatDuration(parseInstant(at) - parseInstant(command.issued))}`;
}
