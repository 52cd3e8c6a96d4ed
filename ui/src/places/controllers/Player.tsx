import { type KeyboardEvent, useEffect, useRef } from "react";
import type { ControllerRunStep } from "../../api/types";
import { Card } from "../../parts/Card";
import { t } from "../../texts/en";
import type { NamedRun } from "./runs";

const c = t.controllers.player;
const STEPS: Record<string, (at: number, last: number) => number> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  Home: () => 0,
  End: (_, last) => last,
};

interface PlayerProps {
  runs: readonly NamedRun[];
  chosen: NamedRun;
  choose: (key: string) => void;
  at: number;
  go: (step: number) => void;
}

/** Steps through a run of the model: forward, back, by keys, by a slider, or by its time line. */
export function Player({ runs, chosen, choose, at, go }: PlayerProps) {
  const { steps } = chosen.run;
  const last = steps.length - 1;
  const to = (step: number): void => go(Math.max(0, Math.min(last, step)));
  const onKey = (event: KeyboardEvent): void => {
    const move = STEPS[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey || event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    to(move(at, last));
  };
  const step = steps[at];
  const buttons: [string, string, number][] = [
    [c.first, "|◀", 0],
    [c.back, "◀", at - 1],
    [c.forward, "▶", at + 1],
    [c.last, "▶|", last],
  ];
  return (
    <Card title={c.title} className="run-card">
      {/* Arrow keys reach every control inside; a disabled button would keep them, so none is disabled. */}
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions */}
      <div className="run-player" onKeyDown={onKey}>
        <select aria-label={c.which} value={chosen.key} onChange={(event) => choose(event.target.value)}>
          {runs.map((run) => (
            <option key={run.key} value={run.key}>
              {c.version(run.version)}: {run.property ? "" : `${c.defect}, `}
              {run.title}
            </option>
          ))}
        </select>
        <div className="run-controls">
          {buttons.map(([label, sign, target]) => (
            <button key={label} type="button" className="plain" aria-label={label} title={label} aria-disabled={target < 0 || target > last || target === at} onClick={() => to(target)}>
              {sign}
            </button>
          ))}
          <input type="range" aria-label={c.position} min={0} max={last} value={at} onChange={(event) => to(Number(event.target.value))} />
        </div>
        <p role="status" className="run-now">
          <strong className="num">{c.step(at, last)}</strong>
          {step?.time_ns == null ? null : <span className="num"> · {step.time_ns / 1e9} s</span>}
          {step?.taken.length ? ` · ${c.then}: ${step.taken.join("; ")}` : at === last && chosen.property ? ` · ${c.end}` : null}
        </p>
        <p className="weak">{c.keys}</p>
        <TimeLine steps={steps} at={at} go={to} />
      </div>
    </Card>
  );
}

/** Names below each other, steps side by side; a value stands where it changes. */
function TimeLine({ steps, at, go }: { steps: readonly ControllerRunStep[]; at: number; go: (step: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const frame = box.current;
    const cell = frame?.querySelector<HTMLElement>(`th[data-step="${at}"]`);
    if (!frame || !cell) return;
    const left = cell.offsetLeft - frame.clientWidth / 2;
    frame.scrollLeft = left;
  }, [at]);
  const first = steps[0];
  if (!first) return null;
  const rows: [string, boolean][] = [...Object.keys(first.values).map((name): [string, boolean] => [name, false]), ...Object.keys(first.inputs).map((name): [string, boolean] => [name, true])];
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="run-line" ref={box} tabIndex={0} role="group" aria-label={c.timeline}>
      <table>
        <thead>
          <tr>
            <th scope="col">{c.name}</th>
            <th scope="col" className="run-value">
              {c.step(at, steps.length - 1)}
            </th>
            {steps.map((step) => (
              <th key={step.index} scope="col" data-step={step.index} className={step.index === at ? "here" : ""}>
                <button type="button" tabIndex={-1} aria-label={c.step(step.index, steps.length - 1)} aria-current={step.index === at ? "step" : undefined} onClick={() => go(step.index)}>
                  {step.index}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, input]) => {
            const value = (step: ControllerRunStep | undefined): string => (input ? step?.inputs[name] : step?.values[name]) ?? "";
            return (
              <tr key={name} className={input ? "input" : ""}>
                <th scope="row">{name}</th>
                <td className="run-value code">{value(steps[at])}</td>
                {steps.map((step, i) => {
                  const changed = i === 0 || value(step) !== value(steps[i - 1]);
                  return (
                    <td key={step.index} className={`${step.index === at ? "here " : ""}${changed ? "changed" : ""}`}>
                      {changed ? value(step) : ""}
                    </td>
                  );
                })}
              </tr>
            );
          })}
          <tr>
            <th scope="row">{c.taken}</th>
            <td className="run-value" />
            {steps.map((step) => (
              <td key={step.index} className={step.index === at ? "here" : ""} title={step.taken.join("; ")}>
                {step.taken.length ? "▶" : ""}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
