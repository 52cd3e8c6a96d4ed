import { type FormEvent, useState } from "react";
import type { KindChange, RoutineKind } from "../../../api/types";
import { askedKinds, kindsToKeep, type RoutineStudy, saveRoutineStudy, useRoutineStudy } from "../../../data/routine";
import { reloadAll } from "../../../data/query";
import { useAct } from "../../../data/useAct";
import { Card } from "../../../parts/Card";
import { Loaded, Problem, Skeleton } from "../../../parts/Feedback";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";

const s = t.routine.study;

/** Since when the assistant is used, which kinds of routine are asked for, and what an hour costs. */
export function StudyForm({ kinds }: { kinds: readonly KindChange[] }) {
  const study = useRoutineStudy();
  return (
    <Card title={s.title}>
      <Loaded answer={study} skeleton={<Skeleton lines={3} />}>
        {(kept) => <Fields study={kept} known={kept.kinds ?? askedKinds(kinds)} />}
      </Loaded>
    </Card>
  );
}

function Fields({ study, known }: { study: RoutineStudy; known: readonly RoutineKind[] }) {
  const [since, setSince] = useState(study.since ?? "");
  const [rate, setRate] = useState(study.rate ?? "");
  const [currency, setCurrency] = useState(study.currency ?? "EUR");
  const [note, setNote] = useState(study.note ?? "");
  const [lines, setLines] = useState(known.map((kind) => kind.title).join("\n"));
  const { act, busy, problem } = useAct(() => {
    notify(s.saved, "success");
    reloadAll();
  });
  const save = (event: FormEvent): void => {
    event.preventDefault();
    void act(() => saveRoutineStudy({ ...study, since, rate: rate.trim(), currency, note, kinds: kindsToKeep(lines, known, study.kinds) }));
  };
  return (
    <form onSubmit={save} className="routine-study">
      <div className="row wrap">
        <label className="field">
          <span>{s.since}</span>
          <input type="date" value={since} onChange={(event) => setSince(event.target.value)} />
        </label>
        <label className="field">
          <span>{s.rate}</span>
          <input type="text" inputMode="decimal" value={rate} onChange={(event) => setRate(event.target.value)} />
        </label>
        <label className="field short">
          <span>{s.currency}</span>
          <input type="text" required maxLength={3} value={currency} onChange={(event) => setCurrency(event.target.value.toUpperCase())} />
        </label>
      </div>
      <label className="field">
        <span>{s.kinds}</span>
        <textarea rows={Math.max(4, known.length)} required value={lines} onChange={(event) => setLines(event.target.value)} />
      </label>
      <p className="weak hint">{s.kindsHint}</p>
      <label className="field">
        <span>{s.note}</span>
        <input type="text" maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />
      </label>
      <button type="submit" className="primary" disabled={busy}>
        {s.save}
      </button>
      {problem ? <Problem error={problem} /> : null}
    </form>
  );
}
