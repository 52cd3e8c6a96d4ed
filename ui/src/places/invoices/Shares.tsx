import { get } from "../../api/client";
import type { PartnerShare } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";
import { LevelTable } from "../contracts/LevelTable";
import { money } from "../contracts/money";

const v = t.shares;

/** What the own party has as a partner of other parties' contracts; nothing where it has none. */
export function Shares() {
  const answer = useQuery("shares", (signal) => get<PartnerShare[]>("/shares", {}, signal), 30_000);
  return (
    <>
      {(answer.data ?? []).map((one) => (
        <Card key={one.contract} title={v.title(one.title)} extra={<span className="weak">{one.provider}</span>}>
          <p>
            {v.share(one.share_percent, one.machines.join(", "))} <strong className="num">{money(one.total, one.currency)}</strong>
          </p>
          {one.booked.length ? (
            <table className="plain-table">
              <thead>
                <tr>
                  <th scope="col">{v.period}</th>
                  <th scope="col">{v.booked}</th>
                  <th scope="col" className="right">
                    {v.amount}
                  </th>
                </tr>
              </thead>
              <tbody>
                {one.booked.map((row) => (
                  <tr key={`${row.period} ${row.at}`}>
                    <th scope="row" className="num">
                      {row.period}
                    </th>
                    <td>
                      <Time at={row.at} precision="minute" />
                    </td>
                    <td className="right num">{money(row.amount, one.currency)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p className="weak">{v.nothing}</p>
          )}
          {one.levels.length ? (
            <>
              <h3>{v.levels(one.period)}</h3>
              <LevelTable levels={one.levels} named={false} />
            </>
          ) : null}
        </Card>
      ))}
    </>
  );
}
