import { get } from "../../api/client";
import type { ServiceResult } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { useAsOf, useZone } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { Link, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { parseLocal, startOfDay, toRfc3339 } from "../../time/instant";
import { money } from "../contracts/money";
import { Renewals } from "./Renewals";

const v = t.invoices;
const COLUMNS = ["revenue", "credits", "visits", "parts", "data", "shares", "margin"] as const;

/** Days of the plant, both included; empty: a year, up to the moment that the page looks at. */
export interface Range {
  from: string | null;
  to: string | null;
}

/** What services leave over a period: profit and loss, and the contracts that ended in it. */
export function Results() {
  const zone = useZone();
  const asOf = useAsOf();
  const [first, setFirst] = useParam("from");
  const [last, setLast] = useParam("until");
  const begin = parseLocal(`${first} 12:00`, zone);
  const end = parseLocal(`${last} 12:00`, zone);
  const range: Range = {
    from: Number.isFinite(begin) ? toRfc3339(startOfDay(begin, zone)) : null,
    to: Number.isFinite(end) ? toRfc3339(startOfDay(end + 86_400_000, zone)) : asOf === null ? null : toRfc3339(asOf),
  };
  return (
    <>
      <div className="row result-period" role="group" aria-label={v.period}>
        <label className="field">
          <span>{v.first}</span>
          <input type="date" value={first} max={last || undefined} onChange={(e) => setFirst(e.target.value)} />
        </label>
        <label className="field">
          <span>{v.last}</span>
          <input type="date" value={last} min={first || undefined} onChange={(e) => setLast(e.target.value)} />
        </label>
        <span className="weak">{first || last ? null : v.yearToNow}</span>
      </div>
      <ProfitAndLoss range={range} />
      <Renewals range={range} />
    </>
  );
}

function ProfitAndLoss({ range }: { range: Range }) {
  const answer = useQuery(
    `profit-and-loss ${range.from} ${range.to}`,
    (signal) => get<ServiceResult[]>("/profit-and-loss", { ...range }, signal),
    30_000,
    "profit-and-loss",
  );
  return (
    <Card title={v.result}>
      <Loaded answer={answer}>
        {(rows) =>
          rows.length === 0 ? (
            <p className="weak">{v.noResult}</p>
          ) : (
            <div className="scroll-x">
              <table className="plain-table">
                <thead>
                  <tr>
                    <th scope="col">{v.contract}</th>
                    <th scope="col">{v.customer}</th>
                    {COLUMNS.map((name) => (
                      <th scope="col" className="right" key={name}>
                        {v[name]}
                      </th>
                    ))}
                    <th scope="col" className="right">
                      {v.marginPercent}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={`${row.contract} ${row.customer} ${row.currency}`}>
                      <th scope="row">
                        <Link place={`contracts/${row.contract}`}>{row.contract}</Link>
                      </th>
                      <td>{row.customer}</td>
                      {COLUMNS.map((name) => (
                        <td className="right num" key={name}>
                          {money(row[name], name === "margin" ? row.currency : "")}
                        </td>
                      ))}
                      <td className="right num">{row.margin_percent ?? "–"}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}
