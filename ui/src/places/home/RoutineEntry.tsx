import { useState } from "react";
import type { RoutineKind, ShiftToSay } from "../../api/types";
import { sayRoutine, useRoutineShifts } from "../../data/routine";
import { useAct } from "../../data/useAct";
import { useMoment, useZone } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { Stepper } from "../../parts/Stepper";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatClock, parseInstant } from "../../time/instant";

const r = t.routine.entry;
const STEP = 5;
const NEAR_ITS_END = 60 * 60_000;
const keyOf = (shift: ShiftToSay): string => `${shift.day} ${shift.shift}`;

/** A shift says how many minutes its routine took: opens by itself in its last hour. Where nothing can be said: nothing. */
export function RoutineEntry({ place }: { place: string }) {
  const answer = useRoutineShifts(place);
  const now = useMoment(60_000);
  const [open, setOpen] = useState<boolean | null>(null);
  const [chosen, setChosen] = useState("");
  if (answer.error || !answer.data) return null;
  const { kinds, shifts } = answer.data;
  const newest = shifts[0];
  if (!newest) return null;
  const ending = parseInstant(newest.end) > now && parseInstant(newest.end) - now < NEAR_ITS_END;
  const shift = shifts.find((one) => keyOf(one) === chosen) ?? newest;
  const shown = open ?? ending;
  // What somebody has begun to say stays, though the shift ends meanwhile and the next one is the newest.
  const hold = (): void => {
    setOpen(true);
    setChosen(keyOf(shift));
  };
  return (
    <section className="card routine-entry" aria-label={r.title}>
      <div className="row wrap">
        <h2>{r.title}</h2>
        <span className="spring" />
        <button type="button" className="plain" aria-expanded={shown} onClick={() => setOpen(!shown)}>
          {shown ? r.close : r.open}
        </button>
      </div>
      {shown ? (
        <>
          <p className="weak">{r.lead}</p>
          <ShiftChoice shifts={shifts} chosen={shift} choose={setChosen} now={now} />
          <Shift key={keyOf(shift)} place={place} kinds={kinds} shift={shift} hold={hold} done={answer.reload} />
        </>
      ) : null}
    </section>
  );
}

function ShiftChoice({ shifts, chosen, choose, now }: { shifts: ShiftToSay[]; chosen: ShiftToSay; choose: (key: string) => void; now: number }) {
  const zone = useZone();
  const end = parseInstant(chosen.end);
  return (
    <div className="row wrap">
      <div className="segmented" role="group" aria-label={r.which}>
        {shifts.map((one) => (
          <button key={keyOf(one)} type="button" aria-pressed={one === chosen} onClick={() => choose(keyOf(one))}>
            {one.said ? "✓ " : ""}
            {one.shift} {one.day}
          </button>
        ))}
      </div>
      <span className="weak">{end > now ? r.runs(formatClock(end, zone)) : r.over}</span>
    </div>
  );
}

function Shift({ place, kinds, shift, hold, done }: { place: string; kinds: RoutineKind[]; shift: ShiftToSay; hold: () => void; done: () => void }) {
  const [correcting, setCorrecting] = useState(false);
  const { said } = shift;
  if (said && !correcting) {
    const spent = kinds.filter((kind) => said.minutes[kind.id]).map((kind) => `${kind.title} ${r.minutes(said.minutes[kind.id] ?? 0)}`);
    return (
      <p className="routine-said">
        <strong>{r.saidTotal(sum(said.minutes))}</strong> {said.whole ? null : <span className="pill quiet">{r.inPart}</span>}{" "}
        <button type="button" className="plain" onClick={() => setCorrecting(true)}>
          {r.correct}
        </button>
        {spent.length ? <span className="weak routine-kinds">{spent.join(" · ")}</span> : null}
      </p>
    );
  }
  return (
    <Form
      place={place}
      kinds={kinds}
      shift={shift}
      hold={hold}
      done={() => {
        setCorrecting(false);
        done();
      }}
    />
  );
}

function Form({ place, kinds, shift, hold, done }: { place: string; kinds: RoutineKind[]; shift: ShiftToSay; hold: () => void; done: () => void }) {
  const [minutes, setMinutes] = useState<Record<string, number>>(() => Object.fromEntries(kinds.map((kind) => [kind.id, shift.said?.minutes[kind.id] ?? 0])));
  const [part, setPart] = useState(shift.said ? !shift.said.whole : false);
  const { act, busy, problem } = useAct(done);
  const total = sum(minutes);
  const change = (kind: string, next: number): void => {
    hold();
    setMinutes((before) => ({ ...before, [kind]: next }));
  };
  const send = (): void => {
    hold();
    void act(async () => {
      await sayRoutine({ place, day: shift.day, shift: shift.shift, minutes, whole: !part });
      notify(shift.said ? r.replaced : r.noted, "success");
    });
  };
  return (
    <>
      <ul className="routine-steppers">
        {kinds.map((kind) => {
          const value = minutes[kind.id] ?? 0;
          return (
            <li key={kind.id}>
              <span>{kind.title}</span>
              <Stepper
                label={r.of(kind.title)}
                value={value}
                text={r.minutes(value)}
                less={r.less(kind.title)}
                more={r.more(kind.title)}
                step={STEP}
                most={value + shift.minutes - total}
                onChange={(next) => change(kind.id, next)}
              />
            </li>
          );
        })}
      </ul>
      <p className="weak hint">{r.keys}</p>
      <label className="check routine-part">
        <input type="checkbox" checked={part} onChange={(event) => setPart(event.target.checked)} /> {r.part}
      </label>
      <div className="row wrap">
        <strong className="num">{r.total(total, shift.minutes)}</strong>
        <button type="button" className="primary routine-send" disabled={busy} onClick={send}>
          {r.send}
        </button>
      </div>
      {problem ? <Problem error={problem} /> : null}
    </>
  );
}

const sum = (minutes: Record<string, number>): number => Object.values(minutes).reduce((a, b) => a + b, 0);
