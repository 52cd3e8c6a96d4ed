import { useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { Billed, ContractDetail, ContractPeriod, LedgerEntry, Page, ServiceLevel } from "../../api/types";
import { useInvoices } from "../../data/contracts";
import { reloadAll, useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Time, useMoment } from "../../parts/Clock";
import { Loaded, Problem } from "../../parts/Feedback";
import { keepsBooks, useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { parseInstant } from "../../time/instant";
import { InvoiceTable } from "../invoices/InvoiceTable";
import { LevelTable } from "./LevelTable";
import { money } from "./money";

const s = t.settlements;

/** Periods with their settlements and documents; who gives the service settles and invoices. */
export function SettlementsTab({ contract }: { contract: ContractDetail }) {
  const invoices = useInvoices(contract.id);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const act = async (work: () => Promise<void>): Promise<void> => {
    setProblem(null);
    try {
      await work();
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  const settle = (period: ContractPeriod): Promise<void> =>
    act(async () => {
      const made = await post<{ revision: number; credit: string; bonus: string }>(path`/contracts/${contract.id}/settlements/${period.id}`, {});
      notify(made.revision === period.revision ? s.unchanged : s.result(money(made.credit, contract.currency), money(made.bonus, contract.currency)));
    });
  const bill = (period: ContractPeriod): Promise<void> =>
    act(async () => {
      await post<Billed>(path`/contracts/${contract.id}/settlements/${period.id}/invoices`, {});
    });
  const mayAct = contract.you === "provider" && contract.signed_by.length > 1;
  const now = useMoment(60_000);
  const billed = new Set((invoices.data?.items ?? []).map((one) => one.cause));
  const begun = contract.periods.filter((p) => parseInstant(p.from) <= now).reverse();
  return (
    <>
      {problem ? <Problem error={problem} /> : null}
      <Card title={s.title}>
        <div className="scroll-x">
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{s.period}</th>
                <th scope="col" className="right">
                  {s.fee} {contract.currency}
                </th>
                <th scope="col">{s.settled}</th>
                <th scope="col">{t.invoices.documents}</th>
                <th scope="col">
                  <span className="hidden">{s.settle}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {begun.map((period) => (
                <PeriodRow
                  key={period.id}
                  contract={contract}
                  period={period}
                  now={now}
                  settle={mayAct ? settle : undefined}
                  bill={mayAct && !billed.has(period.digest ?? "") ? bill : undefined}
                  billed={billed.has(period.digest ?? "")}
                />
              ))}
            </tbody>
          </table>
        </div>
        <p className="weak code">{s.verify}</p>
      </Card>
      <BookedShares contract={contract} />
      <ServiceLevels contract={contract} />
      <Card title={s.invoices}>
        <Loaded answer={invoices}>{(page) => (page.items.length ? <InvoiceTable invoices={page.items} /> : <p className="weak">{s.noInvoices}</p>)}</Loaded>
      </Card>
    </>
  );
}

/** What was booked for partners, from the provider's own books. */
function BookedShares({ contract }: { contract: ContractDetail }) {
  const partners = (contract.terms as { partners?: unknown[] }).partners ?? [];
  const account = useAccount();
  const asked = contract.you === "provider" && keepsBooks(account) && partners.length > 0;
  const answer = useQuery(asked ? `shares-of ${contract.id}` : null, (signal) => get<Page<LedgerEntry>>("/ledger", { contract: contract.id, limit: 5000 }, signal), 60_000);
  const booked = (answer.data?.items ?? []).filter((entry) => entry.kind === "share").reverse();
  if (!booked.length) return null;
  return (
    <Card title={s.shares}>
      <table className="plain-table">
        <tbody>
          {booked.map((entry) => (
            <tr key={entry.id}>
              <th scope="row">{entry.text}</th>
              <td>
                <Time at={entry.at} precision="day" />
              </td>
              <td className="right num">{money(entry.postings.find((one) => one.account.startsWith("shares:"))?.amount, contract.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

/** What partners owe in the period that runs, and whether they keep it. */
function ServiceLevels({ contract }: { contract: ContractDetail }) {
  const answer = useQuery(`levels ${contract.id}`, (signal) => get<ServiceLevel[]>(path`/contracts/${contract.id}/service-levels`, {}, signal), 60_000);
  if (!answer.data?.length) return null;
  return (
    <Card title={s.levels}>
      <LevelTable levels={answer.data} />
    </Card>
  );
}

interface PeriodRowProps {
  contract: ContractDetail;
  period: ContractPeriod;
  now: number;
  settle?: (period: ContractPeriod) => Promise<void>;
  bill?: (period: ContractPeriod) => Promise<void>;
  billed: boolean;
}

function PeriodRow({ contract, period, now, settle, bill, billed }: PeriodRowProps) {
  const ended = parseInstant(period.to) <= now;
  const base = `/api/v1/contracts/${encodeURIComponent(contract.id)}/settlements/${encodeURIComponent(period.id)}`;
  return (
    <tr>
      <th scope="row" className="nowrap">
        {period.id}
      </th>
      <td className="right num">{money(period.fee)}</td>
      <td>
        {period.revision === null ? (
          <span className="weak">{ended ? s.open : s.runs}</span>
        ) : (
          <>
            {s.revision} {period.revision} <span className="weak code cut">{period.digest?.slice(0, 23)}…</span>
          </>
        )}
      </td>
      <td>
        {period.revision === null ? null : (
          <>
            <a href={base} download={`${contract.id}-${period.id}.json`}>
              {s.json}
            </a>
            <br />
            <a href={`${base}/document`} target="_blank" rel="noreferrer">
              {s.pdf}
            </a>
            <br />
            <a href={`${base}/observations`} download>
              {s.observations}
            </a>
          </>
        )}
      </td>
      <td className="right">
        {settle && ended ? (
          <button type="button" className="plain" onClick={() => void settle(period)}>
            {period.revision === null ? s.settle : s.again}
          </button>
        ) : null}{" "}
        {bill && period.revision !== null ? (
          <button type="button" className="plain" onClick={() => void bill(period)}>
            {s.bill}
          </button>
        ) : null}
        {billed ? <span className="weak">{s.billed}</span> : null}
      </td>
    </tr>
  );
}
