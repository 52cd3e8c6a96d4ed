import { useMemo } from "react";
import { post, withQuery } from "../../api/client";
import type { QueryAnswer, SignalShape, TwinDetail, ValueNow } from "../../api/types";
import { useQuery } from "../../data/query";
import { useTwinState } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { Problem } from "../../parts/Feedback";
import { type Column, formatSort, Grid, parseSort, sortRows } from "../../parts/Grid";
import { WindowBar } from "../../parts/WindowBar";
import { Link, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber, formatRatio, unitText } from "../../time/figure";
import { formatDuration } from "../../time/instant";
import { useWindow } from "../../time/window";
import { completeness } from "./completeness";
import { useRange } from "./OeeTab";

const d = t.data;
const BUCKETS = 96;

interface SignalData {
  signal: SignalShape;
  now: ValueNow | undefined;
  asked: boolean;
  count: number | null;
  complete: number | null;
  filled: boolean[];
}

/** How fresh and how complete the data of each signal are, and how to take them away. */
export function Data({ twin }: { twin: TwinDetail }) {
  const window = useWindow("24h");
  const range = useRange(window);
  const [sortText, setSort] = useParam("sort", "signal");
  const state = useTwinState(twin.id);
  const signals = useMemo(() => twin.signals.filter((s) => !s.name.startsWith("_")), [twin.signals]);
  const every = Math.max(1, Math.round((window.to - window.from) / BUCKETS / 1000));
  const counts = useQuery(signals.length ? `counts ${twin.id} ${window.key}` : null, () =>
    post<QueryAnswer>("/observations/query", { twins: [twin.id], signals: signals.map((s) => s.name), ...range, every: `${every}s`, aggregates: ["count"] }),
    window.rolling ? 30_000 : 0,
    `counts ${twin.id}`,
  );
  const rows = signals.map<SignalData>((signal) => {
    const buckets = counts.data?.series.find((s) => s.signal === signal.name)?.buckets;
    const filled = (buckets ?? []).map((b) => (b.count ?? 0) > 0);
    return {
      signal,
      now: state.data?.values[signal.name],
      asked: state.data !== undefined,
      count: buckets ? buckets.reduce((sum, b) => sum + (b.count ?? 0), 0) : null,
      complete: buckets ? completeness(signal, buckets) : null,
      filled,
    };
  });
  const columns = columnsOf(twin.id, counts.data?.provenance);
  return (
    <>
      <div className="toolbar">
        <WindowBar window={window} spans={["1h", "24h", "7d", "30d", "1y"]} />
        <span className="spring" />
        {(["csv", "parquet", "arrow"] as const).map((form) => (
          <a key={form} className="plain" href={withQuery("/api/v1/export", { twins: twin.id, ...range, form })} download={`${twin.id}.${form}`}>
            {d.take[form]}
          </a>
        ))}
      </div>
      {counts.error ? <Problem error={counts.error} retry={counts.reload} /> : null}
      <p className="weak lead-in">
        {d.lead} <Link place="quarantine" params={{ twin: twin.id }}>{d.quarantine}</Link>
      </p>
      <Grid
        label={t.twin.tabs.data}
        rows={sortRows(rows, columns, parseSort(sortText))}
        columns={columns}
        rowKey={(row) => row.signal.name}
        sort={parseSort(sortText)}
        onSort={(sort) => setSort(formatSort(sort))}
      />
    </>
  );
}

function columnsOf(twin: string, source: string | undefined): Column<SignalData>[] {
  return [
    {
      key: "signal",
      title: d.signal,
      value: (row) => row.signal.title || row.signal.name,
      cell: (row) => (
        <Link place={`machines/${twin}/trends`} params={{ signals: row.signal.name }} title={row.signal.name}>
          {row.signal.title || row.signal.name}
        </Link>
      ),
    },
    { key: "unit", title: d.unit, value: (row) => row.signal.unit, cell: (row) => unitText(row.signal.unit) || <span className="weak">–</span> },
    {
      key: "reporting",
      title: d.reporting,
      value: (row) => row.signal.reporting.mode,
      cell: (row) => `${d.modes[row.signal.reporting.mode]}${row.signal.reporting.max_gap ? `, ${d.within} ${formatDuration(row.signal.reporting.max_gap / 1e6)}` : ""}`,
    },
    {
      key: "fresh",
      title: d.fresh,
      align: "right",
      value: (row) => row.now?.age_s ?? null,
      cell: (row) =>
        row.now ? (
          <span className={row.now.stale ? "num stale-text" : "num"}>
            {formatDuration(row.now.age_s * 1000)} {row.now.stale ? `(${t.twin.stale})` : ""}
          </span>
        ) : (
          <span className="weak">{row.asked ? t.fleet.never : "–"}</span>
        ),
    },
    {
      key: "count",
      title: d.count,
      align: "right",
      value: (row) => row.count,
      cell: (row) => (row.count === null ? "–" : <Figure text={formatNumber(row.count, 0)} source={{ url: source, title: `${d.count}: ${row.signal.name}` }} />),
    },
    {
      key: "complete",
      title: d.complete,
      align: "right",
      value: (row) => row.complete,
      cell: (row) => (row.complete === null ? <span className="weak" title={d.onChangeHint}>–</span> : <span className={row.complete < 0.95 ? "num incomplete" : "num"}>{formatRatio(row.complete)} %</span>),
    },
    {
      key: "coverage",
      title: d.coverage,
      cell: (row) => (
        <span className="coverage" role="img" aria-label={`${d.coverage}: ${row.filled.filter(Boolean).length} / ${row.filled.length}`}>
          {row.filled.map((full, i) => (
            <span key={i} className={full ? "full" : ""} />
          ))}
        </span>
      ),
    },
  ];
}
