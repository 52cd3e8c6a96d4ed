import type { ComponentLife } from "../../../api/types";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";

const l = t.life;

export const lifeUnit = (unit: string): string => l.units[unit] ?? unit;

/** What is left in a few words. */
export function left(one: ComponentLife): string {
  if (one.spectrum) return `${formatNumber(one.spectrum.remaining * 100, 1)} % ${l.design.remaining}`;
  if (one.wear) return one.wear.text;
  const soon = one.failure;
  if (soon && soon.chance !== null && soon.horizon_days !== null) return l.chance(formatNumber(soon.chance * 100, 1), soon.horizon_days);
  const said = one.learnt;
  if (!said?.known || said.low === null || said.high === null) return l.dontKnow;
  const unit = lifeUnit(said.unit);
  return said.at_least ? l.atLeast(formatNumber(said.low, 0), unit) : l.to(formatNumber(said.low, 0), formatNumber(said.high, 0), unit);
}
