import type { PlacedOperation, Schedule } from "../../api/types";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";
import { formatDuration, parseInstant } from "../../time/instant";
import { placeAfter } from "./gantt-scale";

const b = t.plan.board;

/** One operation: where, when, what it waits for; buttons do what dragging does. */
export function OperationPanel({ plan, one, move, busy }: { plan: Schedule; one: PlacedOperation | undefined; move: ((one: PlacedOperation, machine: string, start: number) => void) | null; busy: boolean }) {
  if (!one) return <p className="weak">{b.chooseOne}</p>;
  const by = (steps: number): void => {
    const to = placeAfter(plan, one, steps, 0);
    move?.(one, to.machine, to.start);
  };
  return (
    <section className="card board-panel" aria-label={b.chosen} aria-live="polite">
      <h2>
        {b.operationOf(one.title, one.order)} <span className="weak">{one.product}</span>
      </h2>
      <dl className="facts">
        <div>
          <dt>{b.on}</dt>
          <dd>{one.machine}</dd>
        </div>
        <div>
          <dt>{b.from}</dt>
          <dd>
            <Time at={one.start} precision="minute" /> – <Time at={one.end} precision="minute" />
          </dd>
        </div>
        {one.setup_s > 0 ? (
          <div>
            <dt>{b.setup}</dt>
            <dd className="num">{formatDuration(one.setup_s * 1000)}</dd>
          </div>
        ) : null}
        {one.crew ? (
          <div>
            <dt>{b.crew}</dt>
            <dd>{one.crew}</dd>
          </div>
        ) : null}
        <div>
          <dt>{b.waitsFor}</dt>
          <dd>
            {one.started ? (
              b.running
            ) : one.waits.length === 0 ? (
              b.waitsNot
            ) : (
              <ul className="board-waits">
                {one.waits.map((wait) => (
                  <li key={`${wait.start} ${wait.kind}`}>
                    <span className="num">{formatDuration(parseInstant(wait.end) - parseInstant(wait.start))}</span> {t.plan.waits[wait.kind] ?? wait.kind}
                    {wait.order ? ` ${wait.order}/${wait.operation}` : wait.kind === "material" || wait.kind === "blocked" ? `: ${wait.words}` : ""}
                  </li>
                ))}
              </ul>
            )}
          </dd>
        </div>
      </dl>
      {move && !one.started ? (
        <div className="board-moves">
          <button type="button" className="plain" disabled={busy} onClick={() => by(-1)}>
            ◀ {b.earlier}
          </button>
          <button type="button" className="plain" disabled={busy} onClick={() => by(1)}>
            {b.later} ▶
          </button>
          {one.machines
            .filter((machine) => machine !== one.machine)
            .map((machine) => (
              <button key={machine} type="button" className="plain" disabled={busy} onClick={() => move(one, machine, parseInstant(one.start))}>
                {b.moveTo} {machine}
              </button>
            ))}
        </div>
      ) : null}
    </section>
  );
}
