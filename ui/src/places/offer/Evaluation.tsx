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
  const rows: [string, (found: EvaluatedOffer) => string | undefined, string?][] = [
    [o.priceOf, () => "", "head"],
    [o.periodFee, (f) => f.price && money(f.price.period_fee)],
    [t.trial.expected, (f) => f.price && `≈ ${money(f.price.expected_credit)}`],
    [o.premium, (f) => f.price && `≈ ${money(f.price.premium)}`],
    [o.premiumShare, (f) => f.price && `≈ ${share(f.price.premium_share, 1)} %`],
    [t.trial.missed, (f) => f.price && `≈ ${share(f.price.missed)} %`],
    [o.trialOf, () => "", "head"],
    [t.trial.fee, (f) => f.trial && money(f.trial.fee)],
    [t.trial.credit, (f) => f.trial && money(f.trial.credit)],
    [t.trial.bonus, (f) => f.trial && money(f.trial.bonus)],
    [t.trial.paid, (f) => f.trial && money(f.trial.payable)],
    [o.missedPeriods, (f) => f.trial && missed(periodsOf(f))],
    [o.lowest, (f) => f.trial && lowest(periodsOf(f))],
    [o.gainOf, () => "", "head"],
    [o.down, (f) => f.gain && `${hours(f.gain.down_hours)} h`],
    [o.allowed, (f) => f.gain && `${hours(f.gain.allowed_hours)} h`],
    [o.saved, (f) => f.gain && `≈ ${money(f.gain.saved)}`],
    [o.savedRange, (f) => f.gain && `${money(f.gain.low)} … ${money(f.gain.high)}`],
    [o.ifKept, (f) => f.gain && `≈ ${money(f.gain.if_kept)}`, "sum"],
    [o.asLastYear, (f) => f.gain && `≈ ${money(f.gain.as_last_year)}`, "sum"],
  ] as [string, (found: EvaluatedOffer) => string | undefined, string?][];
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
                  {one.name}
                  {one.answer.data ? `, ${currencyOf(one.answer.data)}` : ""}
                  {one.answer.error && one.answer.data ? <p className="weak">{o.outdated}</p> : null}
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
                        {one ? (text(one) ?? "–") : "…"}
                      </td>
                    ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {columns.map((one) =>
        one.answer.data?.overlaps.length ? (
          <p className="field-problem" role="alert" key={one.name}>
            ▲ {columns.length > 1 ? `${one.name}: ` : ""}
            {o.overlaps(one.answer.data.overlaps.join(", "))}
          </p>
        ) : null,
      )}
      <Notes columns={columns} />
      <p className="weak">{o.gainLead}</p>
    </Card>
  );
}

/** What a reader of the figures has to know; what holds for both variants is said once. */
function Notes({ columns }: { columns: readonly Column[] }) {
  const said = new Map<string, string[]>();
  for (const { name, answer } of columns) {
    const problems = [answer.data?.price_problem, answer.data?.trial_problem].flatMap((fault) => (fault ? [`${fault.message}. ${fault.hint}`] : []));
    for (const note of new Set([...problems, ...(answer.data?.price?.notes ?? []), ...(answer.data?.trial?.notes ?? [])])) said.set(note, [...(said.get(note) ?? []), name]);
  }
  return [...said].map(([note, names]) => (
    <p className="weak" key={note}>
      {names.length < columns.length ? `${names.join(", ")}: ` : ""}
      {note}
    </p>
  ));
}

interface Period {
  period: string;
  machines: { missed_percent: string; rounded_percent: string | null }[];
}

const periodsOf = (found: EvaluatedOffer): Period[] => (found.trial?.periods ?? []) as unknown as Period[];

const currencyOf = (found: EvaluatedOffer): string => String(found.terms.currency);

function missed(periods: readonly Period[]): string {
  return o.missedOf(periods.filter((one) => one.machines.some((machine) => Number(machine.missed_percent) > 0)).length, periods.length);
}

function lowest(periods: readonly Period[]): string {
  const values = periods.flatMap((one) => one.machines.flatMap((machine) => (machine.rounded_percent === null ? [] : [Number(machine.rounded_percent)])));
  return values.length ? `${percent(String(Math.min(...values)))} %` : "–";
}

const hours = (text: string): string => formatNumber(Number(text), 0);
