import type { ReactNode } from "react";
import type { CaseDetail, ContractStatus } from "../../api/types";
import { useContractStatus } from "../../data/contracts";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { formatDuration } from "../../time/instant";
import { Gauge } from "../contracts/Gauge";
import { money, percent } from "../contracts/money";

const c = t.case;

/** What the violation costs: the guarantee of the machine to the second, and what its period can cost at most. */
export function Guarantees({ one }: { one: CaseDetail }) {
  return (
    <Card title={c.guarantee}>
      {one.contracts.length === 0 ? <p className="weak">{c.noContract}</p> : null}
      {one.contracts.map((id) => (
        <Guarantee key={id} contract={id} twin={one.twin} />
      ))}
    </Card>
  );
}

function Guarantee({ contract, twin }: { contract: string; twin: string }) {
  const status = useContractStatus(contract);
  return (
    <Loaded answer={status} skeleton={<Skeleton lines={4} />}>
      {(now) => <Clock status={now} twin={twin} />}
    </Loaded>
  );
}

function Clock({ status, twin }: { status: ContractStatus; twin: string }) {
  const machine = status.machines.find((one) => one.twin === twin);
  if (!machine) return null;
  const source = (title: string) => ({ url: status.provenance, title: `${title}, ${twin}, ${status.period}` });
  const missed = Number(machine.missed_percent) > 0;
  const unavailable = Number(machine.seconds.unavailable ?? 0);
  const allowed = Number(machine.counted_s) * (1 - Number(status.level) / 100);
  return (
    <div className="guarantee-clock">
      <p className="standing">
        <Link place={`contracts/${status.contract}/time`} className="strong">
          {status.contract}
        </Link>
        <span className="weak">{status.period}</span>
      </p>
      <p className="standing">
        <Figure className="ledger-number" text={percent(machine.rounded_percent)} unit="%" source={source(c.soFar)} />
        <span className={missed ? "verdict-word missed" : "verdict-word"}>
          {missed ? `▼ ${t.contractStatus.missed}` : `● ${t.contractStatus.kept}`}{" "}
          {formatNumber(Math.abs(Number(machine.rounded_percent ?? status.level) - Number(status.level)), 2)} · {formatNumber(Number(status.level), 2)} % {c.guaranteed}
        </span>
      </p>
      <Gauge value={machine.rounded_percent} level={status.level} label={`${c.soFar} ${percent(machine.rounded_percent)} %`} />
      <table className="plain-table">
        <tbody>
          <Row title={c.unavailable}>
            <Figure text={formatDuration(unavailable * 1000)} source={source(c.unavailable)} />
          </Row>
          <Row title={c.allowed}>
            <Figure text={formatDuration(allowed * 1000)} source={source(c.allowed)} />
          </Row>
          <Row title={c.credit}>
            <Figure text={money(machine.credit)} unit={status.currency} source={source(c.credit)} />
          </Row>
          {machine.per_hour === null ? null : (
            <Row title={c.perHour} hint={c.perHourHint}>
              <Figure className={Number(machine.per_hour) > 0 ? "strong" : ""} text={money(machine.per_hour)} unit={status.currency} source={source(c.perHour)} estimate />
            </Row>
          )}
          {status.at_stake === null ? null : (
            <Row title={c.stake}>
              <Figure text={money(status.at_stake)} unit={status.currency} source={source(c.stake)} />
            </Row>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Row({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <tr title={hint}>
      <th scope="row">{title}</th>
      <td className="right">{children}</td>
    </tr>
  );
}
