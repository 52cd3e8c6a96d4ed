import { useState } from "react";
import type { NextTask } from "../../api/types";
import { answerTask, useNextTasks } from "../../data/schedules";
import { Time } from "../../parts/Clock";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";

const s = t.plan.shift;

/** What the plan has for a machine now and next, why, and what the operator says to it. Without a plan: nothing. */
export function NextInPlan({ machine }: { machine: string }) {
  const answer = useNextTasks(machine);
  if (answer.error || !answer.data) return null;
  const { tasks, reasons } = answer.data;
  return (
    <section className="operator-plan" aria-label={s.title}>
      <h2>{s.title}</h2>
      {tasks.length === 0 ? <p className="weak">{s.none}</p> : null}
      {tasks.slice(0, 2).map((task, n) => (
        <Task key={`${task.order}/${task.operation}`} task={task} first={n === 0} reasons={reasons} reload={answer.reload} />
      ))}
    </section>
  );
}

function Task({ task, first, reasons, reload }: { task: NextTask; first: boolean; reasons: string[]; reload: () => void }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
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
      {task.missing.length ? (
        <p>
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
      ) : (
        <div className="operator-answers">
          {task.running ? (
            <button type="button" className="primary" disabled={busy} onClick={() => say("done")}>
              {s.done}
            </button>
          ) : (
            <button type="button" className={first ? "primary" : "plain"} disabled={busy} onClick={() => say("begun")}>
              {s.begin}
            </button>
          )}
          <button type="button" className="plain" disabled={busy} onClick={() => setAsking(true)}>
            {s.reject}
          </button>
          {task.others.length ? <span className="weak">{s.others(task.others.join(", "))}</span> : null}
        </div>
      )}
    </div>
  );
}
