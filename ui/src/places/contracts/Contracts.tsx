import type { ContractSummary } from "../../api/types";
import { useContracts, useContractStatus, useForecast } from "../../data/contracts";
import { Figure } from "../../figures/Figure";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { makesOffers, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { Gauge } from "./Gauge";
import { money, percent, share, worst } from "./money";
import { SavingsCard } from "./SavingsCard";

const c = t.contracts;

/** The contract ledger: what was promised, where it stands, what is at stake. */
export default function Contracts() {
  return (
    <>
      <h1>{c.title}</h1>
      <ContractLedger />
    </>
  );
}

export function ContractLedger() {
  const contracts = useContracts();
  const account = useAccount();
  return (
    <>
      {makesOffers(account) ? (
        <p className="toolbar">
          <Link place="offer" className="plain">
            {t.offer.configure}
          </Link>
        </p>
      ) : null}
      <LedgerRows contracts={contracts} />
      {contracts.data?.items.some((one) => one.life === "binding" || one.life === "ended") ? <SavingsCard /> : null}
    </>
  );
}

function LedgerRows({ contracts }: { contracts: ReturnType<typeof useContracts> }) {
  return (
    <Loaded answer={contracts} skeleton={<Skeleton height={260} />}>
      {(page) =>
        page.items.length === 0 ? (
          <Empty title={c.none}>{c.noneHint}</Empty>
        ) : (
          <ul className="ledger">
            {[...page.items].sort(byUrgency).map((one) => (
              <ContractRow key={one.id} contract={one} />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

const ORDER = { binding: 0, offered: 1, trial: 2, withdrawn: 3, ended: 4 };

const byUrgency = (a: ContractSummary, b: ContractSummary): number => ORDER[a.life] - ORDER[b.life] || b.waiting - a.waiting || a.id.localeCompare(b.id);

export function LifePill({ life }: { life: ContractSummary["life"] }) {
  return (
    <span className={life === "binding" ? "pill" : "pill quiet"} title={c.lifeHints[life]}>
      {c.lives[life]}
    </span>
  );
}

function ContractRow({ contract }: { contract: ContractSummary }) {
  return (
    <li className="card ledger-row">
      <div className="ledger-name">
        <Link place={`contracts/${contract.id}`} className="strong">
          {contract.title}
        </Link>
        <p className="weak">
          {contract.provider} → {contract.customer} · {contract.machines.join(", ")}
        </p>
        <p>
          <LifePill life={contract.life} />{" "}
          {contract.waiting ? (
            <Link place={`contracts/${contract.id}/claims`} className="pill warning">
              {c.waiting(contract.waiting)}
            </Link>
          ) : null}
        </p>
      </div>
      <div className="ledger-fee">
        <span className="kpi-title">{c.col.fee}</span>
        <span className="num">
          {formatNumber(Number(contract.fee), 0)} {contract.currency} {c.per[contract.per as keyof typeof c.per]}
        </span>
      </div>
      {contract.level === null ? null : <Standing contract={contract} />}
    </li>
  );
}

function Standing({ contract }: { contract: ContractSummary }) {
  const status = useContractStatus(contract.id);
  const forecast = useForecast(contract.id, "");
  const now = status.data;
  if (!now) return status.error ? <NoStanding contract={contract} notBegun={status.error.fault.code === "contract:not-begun"} message={status.error.fault.message} /> : <Skeleton lines={2} />;
  const low = worst(now.machines);
  const ends = forecast.data?.machines.find((m) => m.twin === low?.twin);
  return (
    <>
      <div className="ledger-value">
        <span className="kpi-title">
          {c.col.value} · {now.period}
        </span>
        <Figure
          className="kpi-value"
          text={percent(low?.rounded_percent)}
          unit="%"
          source={{ url: now.provenance, title: `${contract.title}, ${now.period}` }}
        />
        <Gauge
          value={low?.rounded_percent ?? null}
          level={now.level}
          low={ends?.value["0.05"] === undefined ? undefined : ends.value["0.05"] * 100}
          high={ends?.value["0.95"] === undefined ? undefined : ends.value["0.95"] * 100}
          label={`${c.col.value} ${percent(low?.rounded_percent)} %, ${c.col.level} ${now.level} %`}
        />
      </div>
      <div className="ledger-money">
        <span className="kpi-title">{c.col.missing}</span>
        <Figure estimate className="ledger-number" text={ends ? share(ends.missed) : "–"} unit="%" source={{ url: now.provenance, title: c.col.missing }} />
      </div>
      <div className="ledger-money">
        <span className="kpi-title">{c.col.credit}</span>
        <Figure className="ledger-number" text={money(now.credit)} unit={now.currency} source={{ url: now.provenance, title: c.col.credit }} />
        <span className="weak">
          {c.col.stake} <span className="num">{money(now.at_stake, now.currency)}</span>
        </span>
      </div>
    </>
  );
}

/** A contract of which nothing is measured yet, or that cannot be measured. */
function NoStanding({ contract, notBegun, message }: { contract: ContractSummary; notBegun: boolean; message: string }) {
  if (!notBegun) return <p className="weak">{message}</p>;
  return (
    <div>
      <p>
        {c.begins} <Time at={contract.from} precision="day" />
      </p>
      <Link place={`contracts/${contract.id}/trial`}>{c.tryIt}</Link>
    </div>
  );
}
