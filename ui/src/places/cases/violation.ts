import type { CaseFinding } from "../../api/types";
import type { StripItem } from "../../parts/strip-draw";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { parseInstant } from "../../time/instant";
import type { Window } from "../../time/window";

/** The violation with as much again around it. */
export function around(finding: CaseFinding, moment: number): Window {
  const from = parseInstant(finding.from);
  const to = finding.to === null ? Math.max(moment, from + 1) : parseInstant(finding.to);
  const pad = Math.max(30_000, (to - from) / 2);
  return { from: Math.floor(from - pad), to: Math.ceil(finding.to === null ? to + pad / 10 : Math.min(to + pad, Math.max(moment, to + 1))) };
}

export function violationItem(f: CaseFinding, moment: number): StripItem {
  const from = parseInstant(f.from);
  const to = f.to === null ? Math.max(moment, from + 1) : parseInstant(f.to);
  if (f.told) return { from, to, label: t.case.stretch, detail: f.told.signals[0]?.signal ?? "", fill: "--s-repair", pattern: "plain" };
  return { from, to, label: t.verdicts.false, detail: f.to === null ? t.case.goesOn : marginText(f.least, f.most), fill: "--s-failed", pattern: "plain" };
}

/** Bounds of the robustness. */
export function marginText(least: number | null, most: number | null): string {
  if (least === null || most === null) return "";
  const digits = (v: number): string => formatNumber(v, Math.abs(v) >= 100 ? 0 : 2);
  return least === most ? digits(least) : `${digits(least)} … ${digits(most)}`;
}
