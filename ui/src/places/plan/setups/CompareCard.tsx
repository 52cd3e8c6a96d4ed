import { type FormEvent, useState } from "react";
import type { ComparedAnswer, JobDetail } from "../../../api/types";
import { compareWithMachine, type TracePlan } from "../../../data/setups";
import { useTwin, useTwins } from "../../../data/twins";
import { useAct } from "../../../data/useAct";
import { Card } from "../../../parts/Card";
import { useZone } from "../../../parts/Clock";
import { Problem } from "../../../parts/Feedback";
import { MachineOptions } from "../../../parts/MachineOptions";
import { t } from "../../../texts/en";
import { formatInstant, parseLocal, toRfc3339 } from "../../../time/instant";
import { CompareResult } from "./CompareResult";

const u = t.setups;

/** Which machine ran the set-up and when, signal by signal with its tolerance; and what came of it. */
export function CompareCard({ job, plan }: { job: JobDetail; plan: TracePlan }) {
  const zone = useZone();
  const machines = (useTwins().data ?? []).filter((twin) => twin.kind === "machine");
  const [wanted, choose] = useState("");
  const twin = machines.find((one) => one.id === wanted)?.id ?? machines[0]?.id ?? "";
  const seconds = plan.times[plan.times.length - 1] ?? 0;
  const [begin, setBegin] = useState(() => formatInstant(Date.now() - 1000 * seconds, zone, "second").replace(" ", "T"));
  return (
    <Card title={u.compare}>
      <p className="weak">{u.compareNote}</p>
      <div className="scenario-row">
        <label>
          {u.machine}
          <select value={twin} onChange={(event) => choose(event.target.value)}>
            <MachineOptions machines={machines} />
          </select>
        </label>
        <label>
          {u.begin}
          <input type="datetime-local" step={1} required value={begin} onChange={(event) => setBegin(event.target.value)} />
        </label>
      </div>
      {twin ? <Question key={twin} twin={twin} job={job} plan={plan} begin={parseLocal(begin, zone)} /> : null}
    </Card>
  );
}

function Question({ twin, job, plan, begin }: { twin: string; job: JobDetail; plan: TracePlan; begin: number }) {
  const signals = (useTwin(twin).data?.signals ?? []).filter((one) => one.type === "number");
  const shown = Object.keys(plan.columns);
  const [signal, setSignal] = useState("");
  const [variable, setVariable] = useState(shown[0] ?? "");
  const [within, setWithin] = useState(1);
  const [early, setEarly] = useState(0);
  const [lasting, setLasting] = useState(0);
  const [cases, setCases] = useState(false);
  const [answer, setAnswer] = useState<ComparedAnswer | null>(null);
  const { act, busy, problem } = useAct();
  const chosen = signal || (signals[0]?.name ?? "");
  const name = plan.title || job.about.replace(/^set-up ?/, "") || "set-up";
  const ask = (event: FormEvent): void => {
    event.preventDefault();
    const watched = { signal: chosen, shown: variable, within, early_late: early, lasting };
    void act(async () => setAnswer(await compareWithMachine(job.id, { twin, name, begin: toRfc3339(begin), open_cases: cases, signals: [watched] })));
  };
  if (!signals.length) return <p className="weak">{u.noSignals}</p>;
  return (
    <>
      <form onSubmit={ask} className="scenario-row">
        <label>
          {u.signal}
          <select value={chosen} onChange={(event) => setSignal(event.target.value)}>
            {signals.map((one) => (
              <option key={one.name} value={one.name}>
                {one.title || one.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {u.shown}
          <select value={variable} onChange={(event) => setVariable(event.target.value)}>
            {shown.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label className="short">
          {u.within}
          <input type="number" required min={0} step="any" value={within} onChange={(event) => setWithin(event.target.valueAsNumber || 0)} />
        </label>
        <label className="short">
          {u.earlyLate}
          <input type="number" required min={0} step="any" value={early} onChange={(event) => setEarly(event.target.valueAsNumber || 0)} />
        </label>
        <label className="short">
          {u.lasting}
          <input type="number" required min={0} step="any" value={lasting} onChange={(event) => setLasting(event.target.valueAsNumber || 0)} />
        </label>
        <label className="check">
          <input type="checkbox" checked={cases} onChange={(event) => setCases(event.target.checked)} /> {u.openCases}
        </label>
        <button type="submit" className="primary" disabled={busy || Number.isNaN(begin)}>
          {u.doCompare}
        </button>
      </form>
      {problem ? <Problem error={problem} /> : null}
      {answer ? <CompareResult answer={answer} /> : null}
    </>
  );
}
