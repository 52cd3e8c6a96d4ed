import { type FormEvent, useState } from "react";
import { type Model, simulateSetUp } from "../../../data/setups";
import { useAct } from "../../../data/useAct";
import { Card } from "../../../parts/Card";
import { Problem } from "../../../parts/Feedback";
import { t } from "../../../texts/en";

const u = t.setups;

/** Ask for a set-up: one model, its start values, and how long. */
export function SimulateCard({ models, asked }: { models: readonly Model[]; asked: (job: string) => void }) {
  const [wanted, choose] = useState("");
  const [title, setTitle] = useState("");
  const [stop, setStop] = useState(60);
  const [step, setStep] = useState(0.1);
  const [start, setStart] = useState("");
  const { act, busy, problem } = useAct();
  const model = models.find((one) => one.id === wanted) ?? models[0];
  const values = startValues(start);
  const ask = (event: FormEvent): void => {
    event.preventDefault();
    if (model && values) void act(async () => asked((await simulateSetUp(model, title, stop, step, values)).id));
  };
  return (
    <Card title={u.ask}>
      {model ? (
        <form onSubmit={ask} className="scenario-row">
          <label>
            {u.model}
            <select value={model.id} onChange={(event) => choose(event.target.value)}>
              {models.map((one) => (
                <option key={one.id}>{one.id}</option>
              ))}
            </select>
          </label>
          <label>
            {u.setup}
            <input type="text" required maxLength={60} value={title} onChange={(event) => setTitle(event.target.value)} />
          </label>
          <label className="short">
            {u.stop}
            <input type="number" required min={0.001} step="any" value={stop} onChange={(event) => setStop(event.target.valueAsNumber || 1)} />
          </label>
          <label className="short">
            {u.step}
            <input type="number" required min={0.000001} step="any" value={step} onChange={(event) => setStep(event.target.valueAsNumber || 0.1)} />
          </label>
          {model.kind === "fmu" ? (
            <label>
              {u.start}
              <input type="text" value={start} aria-describedby="start-hint" aria-invalid={values === null} onChange={(event) => setStart(event.target.value)} />
              <span id="start-hint" className={values ? "weak" : "outcome-violated"}>
                {values ? u.startHint : u.startWrong}
              </span>
            </label>
          ) : null}
          <button type="submit" className="primary" disabled={busy || values === null}>
            {u.simulate}
          </button>
        </form>
      ) : (
        <p className="weak">{u.noModelToAsk}</p>
      )}
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}

/** `k=2 x=0.5` as values by name; null: something in it is not name=value. */
export function startValues(text: string): Record<string, number> | null {
  const found: Record<string, number> = {};
  for (const piece of text.trim().split(/\s+/).filter(Boolean)) {
    const [name, value, ...more] = piece.split("=");
    if (!name || !value || more.length || !Number.isFinite(Number(value))) return null;
    found[name] = Number(value);
  }
  return found;
}
