import { useEffect, useState } from "react";
import { post } from "../../api/client";
import type { EvaluatedOffer } from "../../api/types";
import { type Asked, useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Skeleton } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { money, percent, share } from "../contracts/money";
import { fileOf, type OfferFile } from "./offerFile";

const o = t.offer;
const TYPING_MS = 500;

export type Costs = Record<"cost_per_hour" | "cost_low" | "cost_high" | "visits" | "cost_per_visit", string>;

/** What an offer would mean, asked anew when nobody has typed for a moment. */
export function useEvaluation(form: OfferFile | null, costs: Costs, name: string): Asked<EvaluatedOffer> {
  const body = form === null ? "" : JSON.stringify({ file: JSON.stringify(fileOf(form)), costs: costsOf(costs) });
  const [settled, setSettled] = useState(body);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(body), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [body]);
  return useQuery(settled ? `offer ${settled}` : null, () => post<EvaluatedOffer>("/contracts/evaluate", JSON.parse(settled)), 0, `offer ${name}`);
}

/** The customer's costs as the API takes them; none while nothing is said of an hour down. */
function costsOf(costs: Costs): unknown {
  const likely = costs.cost_per_hour.trim();
  if (!likely) return null;
  const single = (text: string): unknown => ({ low: text.trim() || "0", likely: text.trim() || "0", high: text.trim() || "0" });
  const hour = { low: costs.cost_low.trim() || likely, likely, high: costs.cost_high.trim() || likely };
  return { cost_per_hour: hour, visits: single(costs.visits), cost_per_visit: single(costs.cost_per_visit) };
}

interface Column {
  name: string;
  answer: Asked<EvaluatedOffer>;
}

/** Price of the risk, trial and customer's gain, of two variants side by side. */
export function Evaluation({ columns }: { columns: readonly Column[] }) {
  const rows: [string, (found: EvaluatedOffer) => string, string?][] = [
    [o.priceOf, () => "", "head"],
    [t.trial.expected, (f) => (f.price ? `≈ ${money(f.price.expected_credit, f.price.currency)}` : "–")],
    [o.premium, (f) => (f.price ? `≈ ${money(f.price.premium, f.price.currency)} (${share(f.price.premium_share, 1)} %)` : "–")],
    [t.trial.missed, (f) => (f.price ? `≈ ${share(f.price.missed)} %` : "–")],
    [o.periodFee, (f) => (f.price ? money(f.price.period_fee, f.price.currency) : "–")],
    [o.trialOf, () => "", "head"],
    [t.trial.fee, (f) => (f.trial ? money(f.trial.fee, f.trial.currency) : "–")],
    [t.trial.credit, (f) => (f.trial ? money(f.trial.credit, f.trial.currency) : "–")],
    [t.trial.bonus, (f) => (f.trial ? money(f.trial.bonus, f.trial.currency) : "–")],
    [t.trial.paid, (f) => (f.trial ? money(f.trial.payable, f.trial.currency) : "–")],
    [o.missedPeriods, (f) => (f.trial ? missed(f.trial.periods as unknown as Period[]) : "–")],
    [o.gainOf, () => "", "head"],
    [o.down, (f) => (f.gain ? `${hours(f.gain.down_hours)} h` : "–")],
    [o.allowed, (f) => (f.gain ? `${hours(f.gain.allowed_hours)} h` : "–")],
    [o.saved, (f) => (f.gain ? `≈ ${money(f.gain.saved, f.gain.currency)} (${money(f.gain.low)} … ${money(f.gain.high)})` : "–")],
    [o.ifKept, (f) => (f.gain ? `≈ ${money(f.gain.if_kept, f.gain.currency)}` : "–"), "sum"],
    [o.asLastYear, (f) => (f.gain ? `≈ ${money(f.gain.as_last_year, f.gain.currency)}` : "–"), "sum"],
  ];
  const found = columns.map((one) => one.answer.data);
  if (found.every((one) => one === undefined)) {
    return (
      <Card title={o.result}>
        {columns.every((one) => one.answer.error) ? <p className="weak">{o.mendFirst}</p> : <Skeleton lines={8} />}
      </Card>
    );
  }
  return (
    <Card title={o.result}>
      <div className="scroll-x">
        <table className="plain-table offer-result">
          <thead>
            <tr>
              <td />
              {columns.map((one) => (
                <th scope="col" className="right" key={one.name}>
                  {one.name} {one.answer.loading ? <span className="weak">{o.working}</span> : null}
                  {one.answer.error ? <p className="weak">{o.outdated}</p> : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, text, kind]) => (
              <tr key={name} className={kind === "sum" ? "sum" : undefined}>
                <th scope={kind === "head" ? "rowgroup" : "row"} colSpan={kind === "head" ? columns.length + 1 : undefined} className={kind === "head" ? "offer-part" : undefined}>
                  {name}
                </th>
                {kind === "head"
                  ? null
                  : found.map((one, place) => (
                      <td className="right num" key={columns[place]?.name}>
                        {one ? text(one) : "…"}
                      </td>
                    ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {columns.map((one) => (
        <Notes key={one.name} name={columns.length > 1 ? `${one.name}: ` : ""} found={one.answer.data} />
      ))}
      <p className="weak">{o.gainLead}</p>
    </Card>
  );
}

function Notes({ name, found }: { name: string; found: EvaluatedOffer | undefined }) {
  if (!found) return null;
  const problems = [found.price_problem, found.trial_problem].flatMap((fault) => (fault ? [`${fault.message}. ${fault.hint}`] : []));
  const notes = [...new Set([...problems, ...(found.price?.notes ?? []), ...(found.trial?.notes ?? [])])];
  return (
    <>
      {found.overlaps.length ? (
        <p className="field-problem" role="alert">
          ▲ {name}
          {o.overlaps(found.overlaps.join(", "))}
        </p>
      ) : null}
      {notes.map((note) => (
        <p className="weak" key={note}>
          {name}
          {note}
        </p>
      ))}
    </>
  );
}

interface Period {
  period: string;
  machines: { missed_percent: string; rounded_percent: string | null }[];
}

function missed(periods: readonly Period[]): string {
  const bad = periods.filter((one) => one.machines.some((machine) => Number(machine.missed_percent) > 0));
  const low = Math.min(...periods.flatMap((one) => one.machines.map((machine) => Number(machine.rounded_percent ?? Number.NaN))).filter(Number.isFinite));
  return o.missedOf(bad.length, periods.length, Number.isFinite(low) ? percent(String(low)) : "–");
}

const hours = (text: string): string => formatNumber(Number(text), 0);
