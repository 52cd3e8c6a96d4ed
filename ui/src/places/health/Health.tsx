import type { ReactNode } from "react";
import { IxContentHeader } from "@siemens/ix-react";
import { ApiError, get } from "../../api/client";
import type { Connection, Health as HealthAnswer, Page, Row } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatBytes, formatNumber, formatRatio } from "../../time/figure";
import { EvidenceLogs } from "./EvidenceLogs";

const h = t.health;
const REFRESH_MS = 3000;

/** Whether this node is well: its processes, what it takes in, its disk, its connections. */
export default function Health() {
  const answer = useQuery("health", (signal) => get<HealthAnswer>("/health", {}, signal), REFRESH_MS);
  const connections = useQuery("connections", askConnections, REFRESH_MS);
  return (
    <>
      <IxContentHeader headerTitle={h.title} />
      {answer.error?.status === 403 ? (
        <Empty title={h.notYours}>{answer.error.fault.hint}</Empty>
      ) : (
        <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
          {(health) => <HealthView health={health} connections={connections.data ?? []} />}
        </Loaded>
      )}
    </>
  );
}

async function askConnections(signal: AbortSignal): Promise<Connection[]> {
  try {
    return (await get<Page<Connection>>("/connections", {}, signal)).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}

function HealthView({ health, connections }: { health: HealthAnswer; connections: Connection[] }) {
  const kept = Object.values(health.quarantine).reduce((a, b) => a + b, 0);
  return (
    <>
      <p className={health.ok ? "verdict" : "verdict bad"}>
        <span aria-hidden="true">{health.ok ? "✓" : "▲"}</span> {health.ok ? h.ok : h.notOk(health.missing.join(", "))}
        <span className="weak">
          {" "}
          servitwin {health.version} · <Time at={health.now} zone />
        </span>
      </p>
      <div className="columns even">
        <Card title={h.processes}>
          <Grid label={h.processes} rows={health.processes} columns={PROCESSES} rowKey={(p) => `${p.name} ${p.pid}`} />
        </Card>
        <div className="column">
          <Card title={h.ingest}>
            {health.ingest ? <Counters counters={health.ingest} /> : <p className="weak">{h.silent}</p>}
            <p className="hint">
              <Link place="quarantine">
                {h.kept(kept)}
              </Link>
            </p>
          </Card>
          <Disk disk={health.disk} />
        </div>
      </div>
      <div className="column">
        {health.streams.length ? (
          <Card title={h.streams}>
            <Rows label={h.streams} rows={health.streams} />
          </Card>
        ) : null}
        <Card title={h.upkeep}>
          <p className="weak hint">{h.upkeepHint}</p>
          <Rows label={h.upkeep} rows={health.upkeep} />
        </Card>
        <Refusals refusals={health.broker_refusals} />
        <EvidenceLogs />
      </div>
      <h2 className="section">{h.connections}</h2>
      {connections.length ? (
        <Grid label={h.connections} rows={connections} columns={CONNECTIONS} rowKey={(c) => c.id} />
      ) : (
        <p className="weak">{h.noConnections}</p>
      )}
      <p className="weak hint">{h.browsers(health.browsers)}</p>
    </>
  );
}

type Refused = HealthAnswer["broker_refusals"];

const REFUSALS: Column<Refused["last"][number]>[] = [
  { key: "at", title: h.at, cell: (r) => <Time at={r.at} /> },
  { key: "user", title: h.user, cell: (r) => r.user || "–" },
  { key: "code", title: h.reason, cell: (r) => <span className="pill warning">{r.code}</span> },
  { key: "message", title: h.message, cell: (r) => <span className="cut">{r.message}</span> },
];

/** What reached no one: it cannot be in quarantine, because the broker never handed it on. */
function Refusals({ refusals }: { refusals: Refused }) {
  const counts = Object.entries(refusals.counts).filter(([, n]) => n > 0);
  if (!counts.length) return null;
  return (
    <Card title={h.refused}>
      <p className="weak hint">
        {h.refusedHint} {h.refusedCounts(counts.map(([code, n]) => `${code} ${formatNumber(n, 0)}`).join(", "))}
      </p>
      <Grid label={h.refused} rows={refusals.last} columns={REFUSALS} rowKey={(r) => `${r.at} ${r.user} ${r.message}`} />
    </Card>
  );
}

type Process = HealthAnswer["processes"][number];

const PROCESSES: Column<Process>[] = [
  { key: "name", title: h.process, cell: (p) => <span className="strong">{p.name}</span> },
  {
    key: "state",
    title: h.state,
    cell: (p) => (p.state === "running" ? p.state : <span className="pill warning">{p.state}</span>),
  },
  { key: "restarts", title: h.restarts, align: "right", cell: (p) => <span className={p.restarts ? "num incomplete" : "num weak"}>{p.restarts}</span> },
  {
    key: "memory",
    title: h.memory,
    align: "right",
    cell: (p) => <span className="num">{p.memory_mb === null || p.memory_mb === undefined ? "–" : `${formatNumber(p.memory_mb, 1)} MB`}</span>,
  },
  { key: "pid", title: "PID", align: "right", cell: (p) => <span className="num weak">{p.pid ?? "–"}</span> },
];

const CONNECTIONS: Column<Connection>[] = [
  { key: "id", title: h.connection, cell: (c) => <span className="strong">{c.title || c.id}</span> },
  { key: "plugin", title: h.plugin, cell: (c) => c.plugin || "–" },
  {
    key: "condition",
    title: h.condition,
    cell: (c) => (["connected", "running", "ready"].includes(c.condition) ? c.condition : <span className="pill warning">{c.condition}</span>),
  },
  { key: "twins", title: t.nav.machines, align: "right", cell: (c) => <span className="num">{c.twins.length}</span> },
  { key: "message", title: h.message, cell: (c) => <span className="cut">{c.message || "–"}</span> },
];

const words = (name: string): string => h.figures[name] ?? name.replace(/_/g, " ").replace(/^./, (c) => c.toUpperCase());

const INSTANT_NS = 1e17;

function shown(name: string, value: unknown): string {
  if (typeof value === "number") {
    if (/share|ratio/.test(name)) return `${formatRatio(value)} %`;
    return /bytes|_size|^(total|free|used)/.test(name) && value > 4096 ? formatBytes(value) : formatNumber(value, Number.isInteger(value) ? 0 : 1);
  }
  if (value === null || value === undefined) return "–";
  if (typeof value === "object") {
    if (Object.keys(value).length === 0) return "0";
    return Object.entries(value)
      .map(([key, inner]) => `${key}: ${shown(key, inner)}`)
      .join(", ");
  }
  return typeof value === "string" ? value || "–" : JSON.stringify(value);
}

function Counters({ counters }: { counters: Row }) {
  const items = Object.entries(counters)
    .filter(([name]) => name !== "disk")
    .map<[string, ReactNode]>(([name, value]) => [
      words(name),
      typeof value === "number" && value > INSTANT_NS ? (
        <Time key={name} at={value / 1e6} />
      ) : (
        <span key={name} className="num wrap">
          {shown(name, value)}
        </span>
      ),
    ]);
  return <Facts items={items} />;
}

function Rows({ label, rows }: { label: string; rows: Row[] }) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns: Column<Row>[] = names.map((name) => ({
    key: name,
    title: words(name),
    align: typeof rows[0]?.[name] === "number" ? "right" : undefined,
    cell: (row) => <span className="num">{shown(name, row[name])}</span>,
  }));
  return <Grid label={label} rows={rows} columns={columns} rowKey={(row) => JSON.stringify(row)} />;
}

const FULL_BELOW = 0.05;

function Disk({ disk }: { disk: Row }) {
  const total = pick(disk, ["total_bytes", "total"]);
  const free = pick(disk, ["free_bytes", "free"]);
  const share = total ? 1 - (free ?? 0) / total : null;
  return (
    <Card title={h.disk}>
      {share === null ? null : (
        <p className={share > 1 - FULL_BELOW ? "disk bad" : "disk"}>
          <span className="progress" role="img" aria-label={`${formatRatio(share)} %`}>
            <span style={{ width: `${share * 100}%` }} />
          </span>
          <span className="weak num">
            {formatRatio(share)} % {h.used}
          </span>
        </p>
      )}
      <Counters counters={disk} />
    </Card>
  );
}

function pick(row: Row, names: readonly string[]): number | null {
  for (const name of names) if (typeof row[name] === "number") return row[name];
  return null;
}
