import { get } from "../../api/client";
import type { ServiceResult } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { DayRange, type Range, useDayRange } from "../../parts/DayRange";
import { Loaded } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { money } from "../contracts/money";
import { Renewals } from "./Renewals";

const v = t.invoices;
const COLUMNS = ["revenue", "credits", "visits", "parts", "data", "shares", "margin"] as const;

/** What services leave over a period: profit and loss, and the contracts that ended in it. */
export function Results() {
  const range = useDayRange();
  return (
    <>
      <DayRange label={v.period} fallback={v.yearToNow} />
      <ProfitAndLoss range={range} />
      <Renewals range={range} />
    </>
  );
}

function ProfitAndLoss({ range }: { range: Range }) {
  const answer = useQuery(
    `profit-and-loss ${range.from} ${range.to}`,
    (signal) => get<ServiceResult[]>("/profit-and-loss", { from: range.from, to: range.to }, signal),
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
