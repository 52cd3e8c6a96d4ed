import type { WorthOfActing } from "../../../api/types";
import { Facts } from "../../../parts/Card";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { lifeUnit } from "./lifeWords";

const w = t.life.worth;

const moneyOf = (worth: WorthOfActing): string => worth.currency || w.replacements;
const unitOf = (worth: WorthOfActing): string => w.units[worth.per] ?? lifeUnit(worth.per);

const minus = (amount: string): string => amount.replace("-", "−");

/** Cost of acting with its interval, beside replacing at the best age, in a few words. */
export function worthLine(worth: WorthOfActing): string {
  return `${w.per(worth.acting, moneyOf(worth), unitOf(worth))} (${worth.acting_low}–${worth.acting_high}); ${worth.by_age}`;
}

/** What acting on a prediction costs beside its alternatives, where a person decides. */
export function Worth({ worth }: { worth: WorthOfActing }) {
  const money = `${moneyOf(worth)} per ${unitOf(worth)}`;
  const says = Number(worth.saved_low) > 0 ? w.saves : w.unclear;
  return (
    <section className="life-worth">
      <h4>{w.title}</h4>
      <Facts
        items={[
          [w.acting, `${worth.acting} ${money} (${w.between(worth.acting_low, worth.acting_high)})`],
          [w.byAge, `${worth.by_age} ${money}`],
          [w.waiting, `${worth.waiting} ${money}`],
        ]}
      />
      <p>{says(minus(worth.saved_low), minus(worth.saved_high), money)}</p>
      <p className="weak">
        {w.judged(formatNumber(worth.judged, 0), formatNumber(worth.missed, 0))} {worth.right === null ? "" : w.right(formatNumber(worth.right * 100, 0))} {worth.currency ? "" : w.noMoney}
      </p>
    </section>
  );
}
