import type { DueTask, MaintenancePart, VisitCount } from "../../../api/types";
import { Card } from "../../../parts/Card";
import { Time, useMoment } from "../../../parts/Clock";
import { Empty } from "../../../parts/Feedback";
import { stackedBy } from "../../../parts/stacked";
import { Link } from "../../../route/router";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { parseInstant } from "../../../time/instant";

const m = t.maintenance;

function Table({ label, head, children }: { label: string; head: [string, boolean?][]; children: React.ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="grid-box" tabIndex={0} role="group" aria-label={label}>
      <table className="grid wrapped stacks" style={stackedBy(head.map(([text]) => text))}>
        <thead>
          <tr>
            {head.map(([text, right]) => (
              <th scope="col" key={text} className={right ? "right" : undefined}>
                <span className="column">{text}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** Where a task stands against its window: shape and word, never colour alone. */
function DueState({ task, now }: { task: DueTask; now: number }) {
  if (task.unknown) return <span className="weak">{`? ${m.due.unknown}`}</span>;
  if (task.overdue) return <strong className="late nowrap">{`▲ ${m.due.overdue}`}</strong>;
  const open = task.earliest !== null && parseInstant(task.earliest) <= now;
  return open ? <strong className="nowrap">{`● ${m.due.now}`}</strong> : <span className="weak">{`○ ${m.due.later}`}</span>;
}

export function DueList({ items }: { items: DueTask[] }) {
  const now = useMoment(60_000);
  const col = m.due.col;
  return (
    <Card title={m.due.title}>
      <Table label={m.due.title} head={[[col.task], [col.machine], [col.window], [col.state], [col.advice]]}>
        {items.map((task) => (
          <tr key={task.id}>
            <td>
              <strong>{task.title}</strong>
              <div className="weak">{task.component}</div>
            </td>
            <td>
              <Link place={`machines/${task.twin}`}>{task.twin}</Link>
            </td>
            <td className="nowrap">
              {task.due === null || task.latest === null ? (
                "–"
              ) : (
                <>
                  <Time at={task.due} precision="day" />
                  <div className="weak">
                    {m.due.until} <Time at={task.latest} precision="day" />
                  </div>
                </>
              )}
            </td>
            <td>
              <DueState task={task} now={now} />
              <div className="weak">{task.unknown ? task.unknown.message : task.why}</div>
            </td>
            <td className="weak wraps">
              {task.advice || "–"}
              {task.remaining_h === null ? null : <div>{m.due.remaining(formatNumber(task.remaining_h, 0))}</div>}
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

export function PartList({ parts }: { parts: MaintenancePart[] }) {
  const col = m.parts.col;
  const rows = [...parts].sort((a, b) => Number(b.order > 0) - Number(a.order > 0) || a.name.localeCompare(b.name));
  return (
    <Card title={m.parts.title}>
      <Table label={m.parts.title} head={[[col.part], [col.stock, true], [col.point, true], [col.order, true], [col.cost, true]]}>
        {rows.map((part) => (
          <tr key={part.id}>
            <td>
              <strong>{part.name}</strong>
              <div className="weak">{part.why}</div>
            </td>
            <td className="num right">{part.stock}</td>
            <td className="num right">{part.reorder_point}</td>
            <td className="num right">{part.order > 0 ? <strong className="late">▲ {part.order}</strong> : <span className="weak">{m.parts.enough}</span>}</td>
            <td className="num right nowrap">{part.order > 0 ? `${formatNumber(Number(part.cost), 2)} ${part.currency}` : "–"}</td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

export function Counts({ items }: { items: VisitCount[] }) {
  const col = m.counts.col;
  return (
    <Card title={m.counts.title}>
      {items.length === 0 ? (
        <Empty title={m.counts.none} />
      ) : (
        <Table label={m.counts.title} head={[[col.contract], [col.planned, true], [col.adHoc, true], [col.before, true], [col.saved, true]]}>
          {items.map((item) => (
            <tr key={item.contract}>
              <td>
                <Link place={`contracts/${item.contract}`}>{item.contract}</Link>
                <div className="weak">{item.customer}</div>
              </td>
              <td className="num right">{item.planned}</td>
              <td className="num right">{item.ad_hoc}</td>
              <td className="num right">{item.baseline ?? "–"}</td>
              <td className="right">
                <span className="num nowrap">{item.saved === null ? "–" : `${formatNumber(Number(item.saved), 2)} ${item.currency ?? ""}`}</span>
                <div className="weak">{item.saved === null ? m.counts.noBaseline : item.agreed ? m.counts.agreed : m.counts.notAgreed}</div>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
