import { useId, useState } from "react";
import type { NextTask } from "../../api/types";
import { answerTask, type ShiftWish, useNextTasks } from "../../data/schedules";
import { useHappened } from "../../live/live";
import { Time } from "../../parts/Clock";
import { maySayRoutine, useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { MoveTask } from "./MoveTask";

const s = t.plan.shift;

/** What the plan has for a machine now and next, why, and what the operator says to it. Without a plan: nothing. */
export function NextInPlan({ machine }: { machine: string }) {
  const answer = useNextTasks(machine);
  const account = useAccount();
  useHappened((event) => {
    if (event.kind === "plan") answer.reload();
  });
  if (answer.error || !answer.data) return null;
  const { tasks, reasons } = answer.data;
  const next = tasks.find((task) => !task.running);
  const shown = tasks.slice(0, tasks[0]?.running ? 3 : 2);
  return (
    <section className="operator-plan" aria-label={s.title}>
      <h2>{s.title}</h2>
      {tasks.length === 0 ? <p className="weak">{s.none}</p> : null}
      {shown.map((task, n) => (
        <Task
          key={`${task.order}/${task.operation}`}
          task={task}
          first={n === 0}
          reasons={reasons}
          how={task.running || !maySayRoutine(account) ? null : task !== next ? "first" : tasks.at(-1) !== task ? "later" : null}
          reload={answer.reload}
        />
      ))}
    </section>
  );
}

/** `how`: in which way the shift may move it here; null: in none. */
function Task({ task, first, reasons, how, reload }: { task: NextTask; first: boolean; reasons: string[]; how: ShiftWish["how"] | null; reload: () => void }) {
  const [asking, setAsking] = useState(false);
  const [moving, setMoving] = useState(false);
  const [busy, setBusy] = useState(false);
  const why = useId();
  const waits = task.missing.length > 0;
  const say = (answer: "begun" | "done" | "rejected", reason = ""): void => {
    setBusy(true);
    answerTask(task.order, task.operation, answer, reason)
      .then(() => notify(s.said[answer], "success"), (error: Error) => notify(error.message, "error"))
      .finally(() => {
        setBusy(false);
        setAsking(false);
        reload();
      });
  };
  return (
    <div className={first ? "card operator-task first" : "card operator-task"}>
      <p className="operator-task-title">
        <span className="weak">{task.running ? s.now : s.next}</span> <strong>{task.title}</strong> {task.order}{" "}
        <span className="num weak">
          {s.pieces(task.quantity, task.product)} · <Time at={task.start} precision="minute" />
        </span>
      </p>
      <ul className="operator-because">
        {task.because.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      {waits ? (
        <p id={why} className="operator-waits">
          ▲ {s.missing} {task.missing.join("; ")}
        </p>
      ) : null}
      {asking ? (
        <div className="operator-answers" role="group" aria-label={s.why}>
          <span>{s.why}</span>
          {reasons.map((reason) => (
            <button key={reason} type="button" className="plain" disabled={busy} onClick={() => say("rejected", reason)}>
              {s.reasons[reason] ?? reason}
            </button>
          ))}
        </div>
      ) : moving && how ? (
        <MoveTask
          wish={{ machine: task.machine, order: task.order, operation: task.operation, how }}
          reasons={reasons}
          close={() => setMoving(false)}
          done={() => {
            setMoving(false);
            reload();
          }}
        />
      ) : (
        <div className="operator-answers">
          {task.running ? (
            <button type="button" className="primary" disabled={busy} onClick={() => say("done")}>
              {s.done}
            </button>
          ) : (
            // The shift may know better than the stock: it can begin all the same, but is not invited to.
            <button type="button" className={first && !waits ? "primary" : "plain"} aria-describedby={waits ? why : undefined} disabled={busy} onClick={() => say("begun")}>
              {waits ? s.beginAnyway : s.begin}
            </button>
          )}
          <button type="button" className="plain" disabled={busy} onClick={() => setAsking(true)}>
            {s.reject}
          </button>
          {how ? (
            <button type="button" className="plain" disabled={busy} onClick={() => setMoving(true)}>
              {how === "first" ? s.first : s.later}
            </button>
          ) : null}
          {task.others.length ? <span className="weak">{s.others(task.others.join(", "))}</span> : null}
        </div>
      )}
    </div>
  );
}
