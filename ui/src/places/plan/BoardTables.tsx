import type { Schedule, ScheduleComparison } from "../../api/types";
import { Time } from "../../parts/Clock";
import { stackedBy } from "../../parts/stacked";
import { t } from "../../texts/en";
import { formatDuration } from "../../time/instant";

const b = t.plan.board;
const SHOWN = 30;

/** Late orders with their reasons, and what another plan moves. */
export function BoardTables({ plan, comparison }: { plan: Schedule; comparison: ScheduleComparison | undefined }) {
  const late = plan.orders.filter((one) => one.late_s > 0);
  return (
    <>
      {comparison ? <Moves comparison={comparison} /> : null}
      <section className="board-section" aria-label={b.late}>
        <h2>{b.late}</h2>
        {late.length === 0 ? (
          <p className="weak">✓ {b.inTime}</p>
        ) : (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <div className="grid-box" tabIndex={0} role="group" aria-label={b.late}>
            <table className="grid stacks" style={stackedBy([b.cols.order, b.cols.due, b.cols.end, b.cols.late, b.cols.why])}>
              <thead>
                <tr>
                  <th scope="col">{b.cols.order}</th>
                  <th scope="col">{b.cols.due}</th>
                  <th scope="col">{b.cols.end}</th>
                  <th scope="col">{b.cols.late}</th>
                  <th scope="col">{b.cols.why}</th>
                </tr>
              </thead>
              <tbody>
                {late.map((one) => (
                  <tr key={one.order}>
                    <td>
                      <strong>{one.order}</strong>
                      <div className="weak">
                        {t.plan.shift.pieces(one.quantity, one.product)} · {one.customer}
                      </div>
                    </td>
                    <td>{one.due ? <Time at={one.due} precision="minute" /> : "–"}</td>
                    <td>
                      <Time at={one.end} precision="minute" />
                    </td>
                    <td className="num board-late">▲ {formatDuration(one.late_s * 1000)}</td>
                    <td className="board-why">{one.why}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function Moves({ comparison }: { comparison: ScheduleComparison }) {
  const moved = comparison.moved;
  return (
    <section className="board-section" aria-label={b.moves}>
      <h2>{b.moves}</h2>
      {moved.length === 0 ? (
        <p className="weak">{b.noMoves}</p>
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="grid-box" tabIndex={0} role="group" aria-label={b.moves}>
          <table className="grid stacks" style={stackedBy([b.moveCols.operation, b.moveCols.from, b.moveCols.to, b.moveCols.shift, b.moveCols.why])}>
            <thead>
              <tr>
                <th scope="col">{b.moveCols.operation}</th>
                <th scope="col">{b.moveCols.from}</th>
                <th scope="col">{b.moveCols.to}</th>
                <th scope="col">{b.moveCols.shift}</th>
                <th scope="col">{b.moveCols.why}</th>
              </tr>
            </thead>
            <tbody>
              {moved.slice(0, SHOWN).map((one) => (
                <tr key={`${one.order}/${one.operation}`}>
                  <td>
                    <strong>{one.order}</strong> {one.operation}
                  </td>
                  <td>
                    {one.machine_before} <Time at={one.start_before} precision="minute" />
                  </td>
                  <td>
                    {one.machine} <Time at={one.start} precision="minute" />
                  </td>
                  <td className="num">{formatDuration(one.later_s * 1000)}</td>
                  <td className="board-why">{one.why}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {moved.length > SHOWN ? <p className="weak">{b.moreMoves(moved.length - SHOWN)}</p> : null}
        </div>
      )}
    </section>
  );
}
