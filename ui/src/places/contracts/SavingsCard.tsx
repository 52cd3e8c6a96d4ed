import type { ReactNode } from "react";
import type { Savings, SavingsRow, SavingsSum } from "../../api/types";
import { useSavings } from "../../data/contracts";
import { Card } from "../../parts/Card";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { stackedBy } from "../../parts/stacked";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { money } from "./money";

const s = t.savings;
const HEAD: [string, boolean][] = [[s.cols.service, false], [s.cols.customer, false], [s.cols.contract, false], [s.cols.hours, true], [s.cols.saved, true], [s.cols.after, true], [s.cols.baseline, false]];

/** What contracts save their customers, per service and per customer: every number opens the contract's value. */
export function SavingsCard() {
  const answer = useSavings();
  return (
    <Card title={s.title} className="savings">
      <p className="weak">{s.lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={4} />}>
        {(found) => (found.items.length ? <Table found={found} /> : <p>{s.none}</p>)}
      </Loaded>
    </Card>
  );
}

function Table({ found }: { found: Savings }) {
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="grid-box" tabIndex={0} role="group" aria-label={s.title}>
        <table className="grid stacks" style={stackedBy(HEAD.map(([title]) => title))}>
          <thead>
            <tr>
              {HEAD.map(([title, right]) => (
                <th key={title} scope="col" className={right ? "right" : undefined}>
                  <span className="column">{title}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.items.map((row) => (
              <One key={row.contract} row={row} />
            ))}
          </tbody>
          <tfoot>
            {found.by_service.map((sum) => (
              <Sum key={`${sum.name} ${sum.currency}`} sum={sum} service={s.services[sum.name as keyof typeof s.services]} customer={s.allCustomers} />
            ))}
            {found.by_customer.map((sum) => (
              <Sum key={`${sum.name} ${sum.currency}`} sum={sum} service={s.allServices} customer={sum.name} />
            ))}
          </tfoot>
        </table>
      </div>
      {found.by_service.length ? null : <p className="weak">{s.noSum}</p>}
    </>
  );
}

function Opens({ contract, children }: { contract: string; children: ReactNode }) {
  return (
    <Link place={`contracts/${contract}/trial`} className="num">
      <span className="hidden">{s.opens(contract)}: </span>
      {children}
    </Link>
  );
}

function One({ row }: { row: SavingsRow }) {
  const { counted } = row;
  return (
    <tr>
      <td>{s.services[row.service]}</td>
      <td>{row.customer}</td>
      <td>
        <Link place={`contracts/${row.contract}`}>{row.title}</Link>
      </td>
      {counted ? (
        <>
          <td className="right nowrap">
            <Opens contract={row.contract}>≈ {formatNumber(Number(counted.saved_hours), 1)} h</Opens>
          </td>
          <td className="right nowrap">
            <Opens contract={row.contract}>≈ {money(counted.saved, row.currency)}</Opens>
            <div className="weak num">{s.range(money(counted.low), money(counted.high))}</div>
          </td>
          <td className="right nowrap">
            <Opens contract={row.contract}>≈ {money(counted.after_fee, row.currency)}</Opens>
          </td>
          <td className="savings-baseline">
            {counted.agreed ? s.agreed : s.notAgreed}
            <div className="weak">{counted.source}</div>
          </td>
        </>
      ) : (
        <>
          <td className="right">–</td>
          <td className="right">–</td>
          <td className="right">–</td>
          <td>
            <Link place={`contracts/${row.contract}/trial`}>{row.why?.message}</Link>
          </td>
        </>
      )}
    </tr>
  );
}

function Sum({ sum, service, customer }: { sum: SavingsSum; service: string; customer: string }) {
  const only = sum.contracts.length === 1 ? sum.contracts[0] : undefined;
  const figure = (text: string): ReactNode => (only ? <Opens contract={only}>{text}</Opens> : <strong className="num">{text}</strong>);
  return (
    <tr className="sum">
      <td>
        <strong>{service}</strong>
      </td>
      <td>
        <strong>{customer}</strong>
      </td>
      <td>
        {sum.contracts.map((contract) => (
          <div key={contract}>
            <Link place={`contracts/${contract}/trial`}>{contract}</Link>
          </div>
        ))}
      </td>
      <td className="right nowrap">{figure(`≈ ${formatNumber(Number(sum.saved_hours), 1)} h`)}</td>
      <td className="right nowrap">{figure(`≈ ${money(sum.saved, sum.currency)}`)}</td>
      <td className="right nowrap">{figure(`≈ ${money(sum.after_fee, sum.currency)}`)}</td>
      <td />
    </tr>
  );
}
