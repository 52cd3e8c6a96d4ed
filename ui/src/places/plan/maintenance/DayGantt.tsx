import type { Route } from "../../../api/types";
import { useZone } from "../../../parts/Clock";
import { t } from "../../../texts/en";
import { formatClock, parseInstant } from "../../../time/instant";

const HOUR = 3_600_000;
const ROW = 34;
const LEFT = 96;
const WIDTH = 960;

/** Technicians as rows: hatched while driving, full while working. */
export function DayGantt({ routes }: { routes: Route[] }) {
  const zone = useZone();
  if (!routes.length) return null;
  const from = Math.floor(Math.min(...routes.map((one) => parseInstant(one.leave))) / HOUR) * HOUR;
  const to = Math.ceil(Math.max(...routes.map((one) => parseInstant(one.back))) / HOUR) * HOUR;
  const x = (at: number): number => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT);
  const hours = Array.from({ length: Math.round((to - from) / HOUR) + 1 }, (_, n) => from + n * HOUR);
  const height = routes.length * ROW + 18;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="board" tabIndex={0} role="group" aria-label={t.maintenance.routes.gantt}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={t.maintenance.routes.gantt}>
        {hours.map((at) => (
          <g key={at}>
            <line className="board-line" x1={x(at)} x2={x(at)} y1={0} y2={height - 16} />
            {at < to ? (
              <text className="board-text" x={x(at) + 3} y={height - 4}>
                {formatClock(at, zone)}
              </text>
            ) : null}
          </g>
        ))}
        {routes.map((route, row) => (
          <g key={route.technician + route.leave} transform={`translate(0 ${row * ROW})`}>
            <text className="board-name" x={0} y={ROW / 2 + 4}>
              {route.name.split(" ")[0]}
            </text>
            <rect className="board-drive" x={x(parseInstant(route.leave))} width={x(parseInstant(route.back)) - x(parseInstant(route.leave))} y={ROW / 2 - 3} height={6} />
            {route.stops.map((stop) => (
              <rect key={stop.visit} className="board-task" x={x(parseInstant(stop.from))} width={Math.max(4, x(parseInstant(stop.to)) - x(parseInstant(stop.from)))} y={5} height={ROW - 10}>
                <title>{`${formatClock(parseInstant(stop.from), zone)} ${stop.title}`}</title>
              </rect>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}
