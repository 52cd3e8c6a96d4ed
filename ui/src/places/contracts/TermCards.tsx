import { Card, Facts } from "../../parts/Card";
import { t } from "../../texts/en";
import { money } from "./money";

const x = t.terms;

type Band =
  | { form: "stepped" | "linear"; step: string; credit: string; cap: string }
  | { form: "table"; rungs: { below: string; credit: string }[]; cap: string }
  | { form: "liquidated"; rate: string; meter: string };

/** A guarantee as it is signed. */
export interface Guarantee {
  level: string;
  formula: string;
  basis: keyof typeof x.basis;
  settle: keyof typeof t.offer.cadences;
  rounding: { places: number | null; mode: string };
  bands: Band;
  bonus: Band | null;
  gaps: { rule: keyof typeof x.gapWords; telemetry: string };
  burden_of_proof: string;
  deemed: { days: number; decision: string };
  exclusions: { kind: keyof typeof t.claims.kinds; budget_hours: string | null }[];
  crossing: keyof typeof x.crossings;
  malus: keyof typeof x.maluses;
}

/** A price as it is signed. */
export interface Price {
  fee: string;
  per: keyof typeof t.contracts.per;
  usage: { meter: string; tiers: { rate: string; up_to: string | null }[] }[];
  payment_days: number;
}

export function PriceCard({ price, currency }: { price: Price; currency: string }) {
  return (
    <Card title={x.price}>
      <Facts
        items={[
          [x.fee, `${money(price.fee, currency)} ${t.contracts.per[price.per]}`],
          ...price.usage.map(({ meter, tiers }): [string, string] => [x.usage, `${meter.replace(/_/g, " ")}: ${tiers.map((tier) => x.tier(`${tier.rate} ${currency}`, tier.up_to)).join(", ")}`]),
          [x.due, x.dueDays(price.payment_days)],
        ]}
      />
    </Card>
  );
}

export function GuaranteeCard({ guarantee: g }: { guarantee: Guarantee }) {
  return (
    <Card title={t.contractStatus.guarantee}>
      <Facts
        items={[
          [x.level, `${g.level} %`],
          [x.formula, `${g.formula}, ${x.basis[g.basis]}`],
          [x.settled, t.offer.cadences[g.settle]],
          [x.rounding, g.rounding.places === null ? x.notRounded : x.decimals(g.rounding.places, g.rounding.mode.replace("_", " "))],
          [x.credit, bandWords(g.bands)],
          ...(g.bonus ? [[x.bonus, bandWords(g.bonus)] as [string, string]] : []),
          [x.malus, x.maluses[g.malus]],
          [x.gaps, x.gap(x.gapWords[g.gaps.rule], g.gaps.telemetry)],
          [x.burden, g.burden_of_proof],
          [x.deemed, x.days(g.deemed.days, g.deemed.decision)],
          [x.exclusions, g.exclusions.map((e) => t.claims.kinds[e.kind] + (e.budget_hours ? ` (${x.hours(e.budget_hours)})` : "")).join(", ") || "–"],
          [x.crossing, x.crossings[g.crossing]],
        ]}
      />
    </Card>
  );
}

/** What a miss, or what exceeds the level, is worth. */
export function bandWords(band: Band): string {
  if (band.form === "table") return x.bands.table(band.rungs.map((rung) => x.bands.rung(rung.below, rung.credit)).join(", "), band.cap);
  if (band.form === "liquidated") return x.bands.liquidated(band.rate, band.meter);
  return x.bands[band.form](band.credit, band.step, band.cap);
}
