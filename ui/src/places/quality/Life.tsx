import type { Genealogy, MeasureShape, TraceEventShape } from "../../api/types";
import { useLife } from "../../data/quality";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Empty, Problem, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { unitText } from "../../time/figure";
import { GenealogyGraph } from "./GenealogyGraph";
import { VerdictMark } from "./marks";

const q = t.quality;
const l = q.life;

/** Everything about one part, batch, tool or container. */
export function Life({ id }: { id: string }) {
  const answer = useLife(id);
  const life = answer.data;
  if (!life) {
    if (answer.error?.status === 404) {
      return (
        <Empty title={l.notFound}>
          <Link place="quality">{l.back}</Link>
        </Empty>
      );
    }
    return answer.error ? <Problem error={answer.error} retry={answer.reload} /> : <Skeleton lines={8} />;
  }
  const { object } = life;
  const measures = life.events.flatMap((event) => event.measures);
  return (
    <>
      <header className="life-head">
        <div>
          <Link place="quality">← {l.back}</Link>
          <h2>
            <span aria-hidden="true">{q.kindMarks[object.kind]}</span> {object.name}
          </h2>
          <p className="weak">
            {[q.kinds[object.kind], object.product].filter(Boolean).join(" · ")} · <VerdictMark verdict={object.verdict} />
            {object.verdict === "fail" && object.reason ? `: ${object.reason}` : ""}
          </p>
          <p className="weak code">{object.id}</p>
        </div>
        <div className="life-acts">
          <Link className="button" place="quality/recall" params={{ id, direction: "down" }}>
            {l.recallDown}
          </Link>
          <Link className="button" place="quality/recall" params={{ id, direction: "up" }}>
            {l.recallUp}
          </Link>
        </div>
      </header>
      {life.withheld ? <p className="note">{l.withheld}</p> : null}
      {life.cut_off ? <p className="note">{l.cutOff}</p> : null}
      {life.circles.length ? <p className="note outcome-violated">✕ {l.circles(life.circles.length)}</p> : null}
      <div className="life-columns">
        <Card title={l.graph} className="life-graph">
          <GenealogyGraph life={life} />
        </Card>
        <Card title={l.timeline}>
          <Timeline life={life} />
        </Card>
      </div>
      <Card title={l.measured}>{measures.length ? <Measures measures={measures} life={life} /> : <p className="weak">{l.nothingMeasured}</p>}</Card>
    </>
  );
}

const SHOWN_EVENTS = 60;

function Timeline({ life }: { life: Genealogy }) {
  return (
    <ol className="life-line">
      {life.events.slice(-SHOWN_EVENTS).map((event) => (
        <li key={event.id} className={event.verdict === "fail" ? "failed" : undefined}>
          <p>
            <strong>{l.events[event.kind]}</strong> <Time at={event.time} /> {event.verdict ? <VerdictMark verdict={event.verdict} /> : null}
          </p>
          <Detail event={event} />
        </li>
      ))}
    </ol>
  );
}

function Detail({ event }: { event: TraceEventShape }) {
  const settings = Object.entries(event.settings).map(([name, value]) => `${name} ${typeof value === "number" ? Number(value.toFixed(2)) : value}`);
  const said = [event.program && `program ${event.program}`, event.step, event.role && `${l.role}: ${event.role}`, event.reason !== "none" && event.reason, event.document && `${l.document}: ${event.document}`].filter(Boolean);
  return (
    <p className="weak">
      {event.machine && !event.machine.includes(":") ? <Link place={`machines/${event.machine}`}>{event.machine}</Link> : event.machine}
      {event.parent ? <> {event.parent.split(":").pop()}</> : null}
      {event.inputs.map((used) => (
        <span key={used.id}>
          {" · "}
          <Link place="quality" params={{ part: used.id }}>
            {q.kinds[used.kind]} {used.name}
          </Link>
        </span>
      ))}
      {said.length ? `${event.machine || event.parent || event.inputs.length ? " · " : ""}${said.join(" · ")}` : ""}
      {settings.length ? ` · ${l.settings}: ${settings.join(", ")}` : ""}
    </p>
  );
}

function Measures({ measures, life }: { measures: readonly MeasureShape[]; life: Genealogy }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="grid-box" tabIndex={0} role="group" aria-label={l.measured}>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">{l.characteristic}</th>
            <th scope="col" className="right">
              {l.value}
            </th>
            <th scope="col">{l.tolerance}</th>
            <th scope="col">{l.deviation}</th>
            <th scope="col">{q.parts.col.verdict}</th>
          </tr>
        </thead>
        <tbody>
          {measures.map((m, i) => (
            <tr key={i}>
              <td>{m.name}</td>
              <td className="right">
                <Figure text={String(m.value)} unit={unitText(m.unit)} source={{ url: life.provenance, title: m.name }} />
              </td>
              <td className="num">
                {m.lower ?? "–"} … {m.upper ?? "–"}
              </td>
              <td>
                <InTolerance m={m} />
              </td>
              <td>
                <VerdictMark verdict={m.verdict} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Where a value lies between its limits: a mark on a bar, outside it where it is outside. */
function InTolerance({ m }: { m: MeasureShape }) {
  const upper = m.upper;
  if (upper === null) return null;
  const lower = m.lower ?? Math.min(0, m.value);
  const share = (m.value - lower) / (upper - lower || 1);
  const at = 10 + 80 * Math.max(-0.1, Math.min(1.1, share));
  const bad = m.verdict === "fail";
  return (
    <svg className="in-tolerance" viewBox="0 0 100 12" role="img" aria-label={`${Math.round(share * 100)} %`}>
      <rect x="10" y="4" width="80" height="4" className="bar" />
      <line x1="50" x2="50" y1="2" y2="10" className="mid" />
      {bad ? <path d={`M${at - 3} 2l6 8M${at + 3} 2l-6 8`} className="bad" /> : <circle cx={at} cy="6" r="3" className="good" />}
    </svg>
  );
}
