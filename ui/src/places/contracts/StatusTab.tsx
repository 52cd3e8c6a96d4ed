import type { ContractDetail, ContractStatus, MachineForecast, MachineStatus } from "../../api/types";
import { useContractStatus, useForecast } from "../../data/contracts";
import { Figure } from "../../figures/Figure";
import { Time } from "../../parts/Clock";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { formatDuration, parseInstant } from "../../time/instant";
import { Gauge } from "./Gauge";
import { money, percent, share } from "./money";
import { PeriodChoice, usePeriod } from "./PeriodChoice";

const s = t.contractStatus;
export const CATEGORIES = ["available", "unavailable", "excluded", "not_counted", "outside"] as const;

/** Where a period stands to the second, where it will end, and what would help. */
export function StatusTab({ contract }: { contract: ContractDetail }) {
  const [period, choose] = usePeriod(contract);
  const status = useContractStatus(contract.id, period);
  if (status.error?.fault.code === "contract:not-begun") {
    return (
      <Empty title={s.notBegun}>
        <p>
          {t.contracts.begins} <Time at={contract.from} precision="day" />
        </p>
        <Link place={`contracts/${contract.id}/trial`}>{t.contracts.tryIt}</Link>
      </Empty>
    );
  }
  return (
    <>
      <div className="toolbar">
        <PeriodChoice contract={contract} chosen={period} choose={choose} />
      </div>
      <Loaded answer={status} skeleton={<Skeleton height={280} />}>
        {(now) => <StatusView status={now} contract={contract} />}
      </Loaded>
    </>
  );
}

function StatusView({ status, contract }: { status: ContractStatus; contract: ContractDetail }) {
  const running = parseInstant(status.to) > parseInstant(status.known_at);
  const forecast = useForecast(contract.id, status.period);
  return (
    <>
      {Object.entries(status.warranty ?? {}).map(([machine, until]) =>
        until ? (
          <p className="weak" key={machine}>
            {machine}: {t.acceptance.warrantyUntil} <Time at={until} precision="day" />
          </p>
        ) : null,
      )}
      {status.notes.map((note) => (
        <p className="note" key={note}>
          {note}
        </p>
      ))}
      <Sums status={status} />
      {status.machines.map((machine) => (
        <Machine key={machine.twin} machine={machine} status={status} forecast={running ? forecast.data?.machines.find((m) => m.twin === machine.twin) : undefined} paths={forecast.data?.paths ?? 0} running={running} />
      ))}
      {status.machines.length > 1 ? (
        <p className="weak">
          {s.pool}: <span className="num">{percent(status.pool.percent as string | null)} %</span>. {s.poolNote}
        </p>
      ) : null}
    </>
  );
}

function Sums({ status }: { status: ContractStatus }) {
  const items: [string, string | null][] = [
    [s.fee, status.fee],
    [s.creditNow, status.credit],
    [s.disputed, status.disputed],
    [s.payable, status.payable],
    [s.stake, status.at_stake],
  ];
  return (
    <div className="kpis sums">
      {items.map(([title, value]) => (
        <div className="kpi" key={title}>
          <span className="kpi-title">{title}</span>
          <Figure className="ledger-number" text={money(value)} unit={value === null ? "" : status.currency} source={{ url: status.provenance, title }} />
        </div>
      ))}
    </div>
  );
}

interface MachineProps {
  machine: MachineStatus;
  status: ContractStatus;
  forecast: MachineForecast | undefined;
  paths: number;
  running: boolean;
}

function Machine({ machine, status, forecast, paths, running }: MachineProps) {
  const value = machine.rounded_percent;
  const missed = Number(machine.missed_percent) > 0;
  const by = formatNumber(Math.abs(Number(value ?? status.level) - Number(status.level)), 2);
  const low = forecast?.value["0.05"];
  const high = forecast?.value["0.95"];
  return (
    <div className="columns even">
      <Card title={machine.twin} extra={<Link place={`contracts/${status.contract}/time`} params={{ period: status.period }}>{t.contracts.tabs.time}</Link>}>
        <p className="standing">
          <Figure className="kpi-value" text={percent(value)} unit="%" source={{ url: status.provenance, title: `${machine.twin}, ${status.period}` }} />
          <span className={missed ? "verdict-word missed" : "verdict-word"}>
            {missed ? "▼" : "●"} {missed ? s.missed : s.kept} {by} · {status.level} % {s.guaranteed}
          </span>
        </p>
        <Gauge value={value} level={status.level} low={low === undefined ? undefined : low * 100} high={high === undefined ? undefined : high * 100} label={`${percent(value)} %, ${status.level} % ${s.guaranteed}`} />
        <CategoryTable machine={machine} />
      </Card>
      <Card title={running ? s.forecast : s.creditNow}>
        {running && forecast ? (
          <>
            <p className="weak">{s.forecastLead(paths)}</p>
            <p>{s.range(share(low ?? 0, 2), share(high ?? 0, 2))}</p>
            <table className="plain-table">
              <tbody>
                <tr>
                  <th scope="row">{s.missing}</th>
                  <td className="right">
                    <Figure estimate text={share(forecast.missed)} unit="%" source={{ url: status.provenance, title: s.missing }} />
                  </td>
                </tr>
                <tr>
                  <th scope="row">{s.expected}</th>
                  <td className="right">
                    <Figure estimate text={money(forecast.expected_credit)} unit={status.currency} source={{ url: status.provenance, title: s.expected }} />
                  </td>
                </tr>
              </tbody>
            </table>
            <h3>{s.helps}</h3>
            <ul className="levers">
              {forecast.levers.map((lever) => (
                <li key={lever.name}>
                  <strong>{s.levers[lever.name as keyof typeof s.levers] ?? lever.name}</strong>
                  <span className="weak">{s.lever(share(lever.missed), money(lever.expected_credit, status.currency))}</span>
                </li>
              ))}
            </ul>
          </>
        ) : running ? (
          <Skeleton lines={4} />
        ) : (
          <>
            <p className="standing">
              <Figure className="kpi-value" text={money(machine.credit)} unit={status.currency} source={{ url: status.provenance, title: s.creditNow }} />
              <span className="weak">
                {machine.credit_percent === null ? "" : `${machine.credit_percent} % ${t.contracts.col.fee.toLowerCase()}`}
                {machine.capped ? " (cap)" : ""}
              </span>
            </p>
            <p className="weak">{s.ended}</p>
          </>
        )}
      </Card>
    </div>
  );
}

function CategoryTable({ machine }: { machine: MachineStatus }) {
  return (
    <table className="plain-table">
      <tbody>
        {CATEGORIES.filter((name) => Number(machine.seconds[name] ?? 0) > 0).map((name) => (
          <tr key={name}>
            <th scope="row" title={t.categoryHints[name]}>
              <span className={`swatch category-${name}`} aria-hidden="true" /> {t.categories[name]}
            </th>
            <td className="right num">{formatDuration(Number(machine.seconds[name]) * 1000)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
