import { get } from "../../api/client";
import type { EndedContract, RenewalCount, RenewalsAnswer } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Time, useAsOf, useMoment } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { toRfc3339 } from "../../time/instant";
import { money } from "../contracts/money";
import type { Range } from "../../parts/DayRange";

const n = t.renewals;
const HOUR = 3_600_000;
const YEAR = 366 * 24 * HOUR;

/** Which contracts ended, which were followed up, what became of their fee, and which end next. */
export function Renewals({ range }: { range: Range }) {
  const asOf = useAsOf();
  const now = Math.floor(useMoment(60_000) / HOUR) * HOUR;
  const at = asOf === null ? null : toRfc3339(asOf);
  const ended = useQuery(
    `renewals ${range.from} ${range.to} ${at}`,
    (signal) => get<RenewalsAnswer>("/profit-and-loss/renewals", { ...range, at }, signal),
    60_000,
    "renewals",
  );
  const next = useQuery(
    `renewals-next ${now} ${at}`,
    (signal) => get<RenewalsAnswer>("/profit-and-loss/renewals", { from: toRfc3339(now), to: toRfc3339(now + YEAR), at }, signal),
    60_000,
    "renewals-next",
  );
  return (
    <Card title={n.title}>
      <Loaded answer={ended}>
        {(found) => (
          <>
            <p className="weak">{n.lead(found.tolerance_days)}</p>
            {found.contracts.length ? (
              <>
                <Counts rows={found.customers.length > 1 ? [...found.customers, ...found.totals] : found.customers} />
                <Ended title={n.ended} rows={found.contracts} />
              </>
            ) : (
              <p>{n.none}</p>
            )}
          </>
        )}
      </Loaded>
      <Loaded answer={next}>{(found) => (found.contracts.length ? <Ended title={n.next} rows={found.contracts} /> : <p>{n.noneNext}</p>)}</Loaded>
    </Card>
  );
}

const share = (percent: string | null): string => (percent === null ? "–" : `${percent} %`);

function Counts({ rows }: { rows: RenewalCount[] }) {
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{n.customer}</th>
            {[n.outcomes.renewed, n.outcomes.partly, n.outcomes.churned, n.outcomes.open, n.byCount, n.byFee, n.before, n.after, n.net, n.gross].map((name) => (
              <th scope="col" className="right" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.customer} ${row.currency}`} className={row.customer ? undefined : "sum"}>
              <th scope="row">
                {row.customer || n.all}
                {row.other_currency ? <p className="weak">{n.otherCurrency(row.other_currency)}</p> : null}
              </th>
              {[row.renewed, row.partly, row.churned, row.open].map((number, place) => (
                <td className="right num" key={place}>
                  {number}
                </td>
              ))}
              <td className="right num">{share(row.renewal_percent)}</td>
              <td className="right num">{share(row.renewal_percent_by_fee)}</td>
              <td className="right num">{money(row.before)}</td>
              <td className="right num">{money(row.after, row.currency)}</td>
              <td className="right num">{share(row.net_retention_percent)}</td>
              <td className="right num">{share(row.gross_retention_percent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Ended({ title, rows }: { title: string; rows: EndedContract[] }) {
  return (
    <>
      <h3 className="ended">{title}</h3>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{n.contract}</th>
              <th scope="col">{n.customer}</th>
              <th scope="col">{n.ends}</th>
              <th scope="col">{n.outcome}</th>
              <th scope="col">{n.followUp}</th>
              <th scope="col" className="right">
                {n.before}
              </th>
              <th scope="col" className="right">
                {n.after}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <EndedRow key={`${row.contract}@${row.version}`} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function EndedRow({ row }: { row: EndedContract }) {
  const going = row.machines.filter((one) => one.after !== null);
  const followUps = [...new Set(going.map((one) => one.follow_up))];
  const currencies = [...new Set(going.map((one) => one.currency ?? ""))];
  const after = currencies.map((currency) => money(String(going.filter((one) => one.currency === currency).reduce((sum, one) => sum + Number(one.after), 0)), currency)).join(", ");
  return (
    <tr>
      <th scope="row">
        <Link place={`contracts/${row.contract}`}>{row.contract}</Link> <span className="weak">{row.machines.map((one) => one.twin).join(", ")}</span>
      </th>
      <td>{row.customer}</td>
      <td>
        <Time at={row.end} precision="day" />
      </td>
      <td>
        <span className={row.outcome === "churned" ? "pill warning" : "pill quiet"}>{n.outcomes[row.outcome]}</span>
      </td>
      <td>
        {followUps.length
          ? followUps.map((reference) => (
              <Link key={reference} place={`contracts/${reference.split("@")[0] ?? ""}`} className="document-link">
                {reference}
              </Link>
            ))
          : null}
        {row.outcome === "renewed" ? null : (
          <Link place="offer" params={{ from: row.contract, following: "1" }}>
            {n.offerNext}
          </Link>
        )}
      </td>
      <td className="right num">{money(row.before, row.currency)}</td>
      <td className="right num">{after || "–"}</td>
    </tr>
  );
}
