import type { MaintenancePlan } from "../../../api/types";
import { useZone } from "../../../parts/Clock";
import { t } from "../../../texts/en";
import { formatInstant, parseInstant } from "../../../time/instant";

const DAY = 86_400_000;
const ROW = 26;
const LEFT = 84;
const WIDTH = 960;

/** Machines as rows, time to the right: planned time, orders in it, and the tasks as they are placed. */
export function Board({ plan }: { plan: MaintenancePlan }) {
  const zone = useZone();
  if (!plan.placed.length) return null;
  const times = plan.placed.flatMap((task) => [parseInstant(task.from), parseInstant(task.to)]);
  const from = Math.min(...times) - DAY / 2;
  const to = Math.max(...times) + DAY / 2;
  const x = (at: number): number => LEFT + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * (WIDTH - LEFT);
  const step = Math.max(1, Math.ceil((to - from) / DAY / 10)) * DAY;
  const marks = Array.from({ length: Math.floor((to - from) / step) }, (_, n) => Math.ceil(from / DAY) * DAY + n * step).filter((at) => at < to);
  const bars = (stretches: { from: string; to: string }[]): [number, number][] =>
    stretches.map((s) => [x(parseInstant(s.from)), x(parseInstant(s.to))] as [number, number]).filter(([a, b]) => b > a);
  const height = plan.machines.length * ROW + 20;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="board" tabIndex={0} role="group" aria-label={t.maintenance.plan.board}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={t.maintenance.plan.board}>
        {marks.map((at) => (
          <g key={at}>
            <line className="board-line" x1={x(at)} x2={x(at)} y1={0} y2={height - 16} />
            <text className="board-text" x={x(at) + 3} y={height - 4}>
              {formatInstant(at, zone, "day")}
            </text>
          </g>
        ))}
        {plan.machines.map((machine, row) => (
          <g key={machine.machine} transform={`translate(0 ${row * ROW})`}>
            <text className="board-name" x={0} y={ROW / 2 + 4}>
              {machine.machine}
            </text>
            {bars(machine.working).map(([a, b]) => (
              <rect key={a} className="board-working" x={a} width={b - a} y={5} height={ROW - 10} />
            ))}
            {bars(machine.taken).map(([a, b]) => (
              <rect key={a} className="board-taken" x={a} width={b - a} y={8} height={ROW - 16} />
            ))}
            {plan.placed
              .filter((task) => task.twin === machine.machine)
              .map((task) => {
                const a = x(parseInstant(task.from));
                return (
                  <rect key={task.task} className="board-task" x={a} width={Math.max(4, x(parseInstant(task.to)) - a)} y={2} height={ROW - 4}>
                    <title>{`${task.title}, ${formatInstant(parseInstant(task.from), zone, "minute")}`}</title>
                  </rect>
                );
              })}
          </g>
        ))}
      </svg>
    </div>
  );
}
