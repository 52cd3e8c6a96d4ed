import { useEffect, useRef, useState } from "react";
import type { ShiftMove } from "../../api/types";
import { moveInShift, type ShiftWish, useShiftMove } from "../../data/schedules";
import { useAct } from "../../data/useAct";
import { Loaded, Problem, Skeleton } from "../../parts/Feedback";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";

const s = t.plan.shift;

/** What a move of the shift would change, told before it happens; then the reason, and it is done or asked for. */
export function MoveTask({ wish, reasons, close, done }: { wish: ShiftWish; reasons: string[]; close: () => void; done: () => void }) {
  const answer = useShiftMove(wish);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  return (
    <section className="operator-move" aria-label={s.moveOf(wish.order)}>
      <h3 ref={head} tabIndex={-1}>
        {s.would}
      </h3>
      <Loaded answer={answer} skeleton={<Skeleton lines={3} />}>
        {(move) => <Decide wish={wish} move={move} reasons={reasons} done={done} again={answer.reload} />}
      </Loaded>
      <button type="button" className="plain" onClick={close}>
        {s.leave}
      </button>
    </section>
  );
}

function Decide({ wish, move, reasons, done, again }: { wish: ShiftWish; move: ShiftMove; reasons: string[]; done: () => void; again: () => void }) {
  const { act, busy, problem } = useAct(done);
  const [reason, setReason] = useState("");
  const [text, setText] = useState("");
  const said = reason !== "" || text.trim() !== "";
  const decide = (): Promise<void> =>
    act(async () => {
      await moveInShift(wish, move.revision, reason, text, !move.allowed);
      notify(move.allowed ? s.movedNow : s.askedNow, "success");
    });
  return (
    <>
      <ul className="operator-because">
        {move.lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {move.allowed ? null : (
        <div role="status">
          <p>▲ {s.against}</p>
          <ul className="operator-because">
            {move.against.map((fault) => (
              <li key={fault.message}>{fault.message}</li>
            ))}
          </ul>
        </div>
      )}
      <fieldset className="operator-reasons">
        <legend>{s.whyWaits(move.behind.split("/")[0] ?? move.behind)}</legend>
        {reasons.map((one) => (
          <button key={one} type="button" className="plain" aria-pressed={reason === one} onClick={() => setReason(reason === one ? "" : one)}>
            {reason === one ? "✓ " : ""}
            {s.reasons[one] ?? one}
          </button>
        ))}
        <label className="field">
          <span>{s.ownWords}</span>
          <input type="text" maxLength={500} value={text} onChange={(event) => setText(event.target.value)} />
        </label>
      </fieldset>
      {problem ? <Problem error={problem} retry={again} /> : null}
      {said ? null : <p className="weak">{s.chooseWhy}</p>}
      <button type="button" className="primary" disabled={busy || !said} onClick={() => void decide()}>
        {move.allowed ? s.doIt : s.askPlanner}
      </button>
    </>
  );
}
