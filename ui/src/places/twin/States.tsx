import { useState } from "react";
import type { StateInterval, TwinDetail } from "../../api/types";
import { Figure } from "../../figures/Figure";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Empty, Problem, Skeleton } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { StateMark } from "../../parts/StateMark";
import { stateName, STATES } from "../../parts/states";
import { Strip } from "../../parts/Strip";
import { WindowBar } from "../../parts/WindowBar";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatRatio } from "../../time/figure";
import { formatDuration, parseInstant } from "../../time/instant";
import { useWindow, type WindowState } from "../../time/window";
import { useStates } from "./useStates";

const s = t.states_page;
const LISTED = 500;

/** Every moment of the machine's calendar in exactly one state. */
export function States({ twin }: { twin: TwinDetail }) {
  const window = useWindow("24h");
  const answer = useStates(twin, window);
  const [selected, setSelected] = useState<number | null>(null);
  const data = answer.data;
  const chosen = selected === null ? undefined : data?.intervals[selected];
  return (
    <>
      <div className="toolbar">
        <WindowBar window={window} spans={["1h", "8h", "24h", "7d", "30d", "1y", "10y"]} />
      </div>
      {answer.error ? <Problem error={answer.error} retry={answer.reload} /> : null}
      {data === undefined ? (
        answer.error ? null : <Skeleton height={120} />
      ) : data.intervals.length === 0 ? (
        <Empty title={s.none} />
      ) : (
        <>
          <Card label={t.twin.tabs.states}>
            <Strip label={t.twin.tabs.states} items={answer.items} window={window} onWindow={window.set} height={72} selected={selected} onSelect={setSelected} />
            {data.next ? <p className="weak hint">{s.more}</p> : null}
          </Card>
          <div className="columns even">
            <Totals totals={data.totals} source={data.provenance} />
            <Chosen interval={chosen} twin={twin.id} window={window} />
          </div>
          <Card title={s.list} extra={<span className="weak num">{data.intervals.length}</span>}>
            <Intervals intervals={data.intervals} />
          </Card>
        </>
      )}
    </>
  );
}

export function Totals({ totals, source }: { totals: Record<string, number>; source: string }) {
  const all = Object.values(totals).reduce((a, b) => a + b, 0);
  const rows = STATES.filter((name) => (totals[name] ?? 0) > 0).sort((a, b) => (totals[b] ?? 0) - (totals[a] ?? 0));
  return (
    <Card title={s.totals}>
      <table className="bars">
        <tbody>
          {rows.map((name) => {
            const seconds = totals[name] ?? 0;
            return (
              <tr key={name}>
                <th scope="row">
                  <StateMark state={name} />
                </th>
                <td className="bar-cell">
                  <span className="bar" style={{ width: `${(seconds / all) * 100}%`, background: `var(--s-${name})` }} />
                </td>
                <td className="right">
                  <Figure text={formatDuration(seconds * 1000)} source={{ url: source, title: `${s.totals}: ${t.states[name]}` }} />
                </td>
                <td className="right num weak">{formatRatio(seconds / all)} %</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

function Chosen({ interval, twin, window }: { interval: StateInterval | undefined; twin: string; window: WindowState }) {
  if (!interval) {
    return (
      <Card title={s.interval}>
        <p className="weak">{s.pick}</p>
      </Card>
    );
  }
  const from = parseInstant(interval.from);
  const to = parseInstant(interval.to);
  const unknown = stateName(interval.state) === "unknown";
  return (
    <Card title={s.interval}>
      <Facts
        items={[
          [s.state, <StateMark key="s" state={interval.state} />],
          [s.from, <Time key="f" at={interval.from} precision="ms" zone />],
          [s.to, <Time key="t" at={interval.to} precision="ms" zone />],
          [s.duration, <span key="d" className="num">{formatDuration(to - from)}</span>],
          ...(unknown ? ([[s.reason, interval.reason || "–"]] as [string, string][]) : []),
          [s.cause, interval.cause || s.unattributed],
          ...(interval.said ? ([[s.said, interval.said.cause]] as [string, string][]) : []),
          [s.party, interval.said?.party || interval.party || s.unattributed],
          [s.word, interval.word || "–"],
        ]}
      />
      <div className="row">
        <button type="button" className="plain" onClick={() => window.set({ from: from - (to - from) * 0.25, to: to + (to - from) * 0.25 })}>
          {s.zoom}
        </button>
        <Link className="plain" place={`machines/${twin}/trends`} params={{ from: interval.from, to: interval.to }}>
          {s.openTrend}
        </Link>
      </div>
    </Card>
  );
}

const COLUMNS: Column<StateInterval>[] = [
  { key: "state", title: s.state, cell: (i) => <StateMark state={i.state} /> },
  { key: "from", title: s.from, cell: (i) => <Time at={i.from} /> },
  {
    key: "duration",
    title: s.duration,
    align: "right",
    cell: (i) => <span className="num">{formatDuration(parseInstant(i.to) - parseInstant(i.from))}</span>,
  },
  { key: "cause", title: s.cause, cell: (i) => i.said?.cause || i.cause || i.reason || "–" },
  { key: "party", title: s.party, cell: (i) => i.said?.party || i.party || <span className="weak">{s.unattributed}</span> },
  { key: "word", title: s.word, cell: (i) => i.word || "–" },
];

function Intervals({ intervals }: { intervals: StateInterval[] }) {
  const rows = [...intervals].reverse().slice(0, LISTED);
  return <Grid label={s.list} rows={rows} columns={COLUMNS} rowKey={(i) => i.from} tall />;
}
