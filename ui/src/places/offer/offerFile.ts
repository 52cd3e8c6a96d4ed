import type { FaultShape } from "../../api/types";

/** A contract file as the form holds it: figures stay the text that was typed until the file is made of them. */
export interface OfferFile {
  [key: string]: Part;
}
type Part = string | number | boolean | null | Part[] | { [key: string]: Part };

/** Keys of the file whose values are figures. */
const FIGURES = new Set(["version", "fee", "level", "step", "percent", "cap", "below", "payment_days", "months", "days", "places", "budget_hours", "rank", "rate", "factor", "times"]);
/** Where no figure is the same as no line in the file. */
const OPTIONAL = new Set(["budget_hours"]);
const FIGURE = /^-?\d+(\.\d+)?$/;

/** Every place of the file that the form has a field for. */
export const FIELDS = [
  "contract", "title", "customer", "machines", "period.from", "period.to", "period.time_zone", "currency", "price.fee", "price.per",
  "guarantee.level", "guarantee.formula", "guarantee.basis", "guarantee.settle", "guarantee.credit.form", "guarantee.credit.step", "guarantee.credit.percent",
  "guarantee.credit.cap", "guarantee.credit.rungs", "guarantee.bonus.step", "guarantee.bonus.percent", "guarantee.bonus.cap", "guarantee.gaps.rule",
  "guarantee.burden_of_proof", "guarantee.malus", "guarantee.exclusions", "warranty.months", "acceptance", "text",
] as const;
export type Field = (typeof FIELDS)[number];

/** What a field of the form holds. */
export function read(file: OfferFile, field: string): Part | undefined {
  let part: Part | undefined = file;
  for (const key of field.split(".")) {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return undefined;
    part = part[key];
  }
  return part;
}

export function textOf(file: OfferFile, field: string): string {
  const part = read(file, field);
  return part === undefined || part === null || typeof part === "object" ? "" : String(part);
}

/** The file with another value in one place; undefined takes the place away. */
export function write(file: OfferFile, field: string, value: Part | undefined): OfferFile {
  const [key = "", ...rest] = field.split(".");
  const next = { ...file };
  if (rest.length) {
    const inner = file[key];
    next[key] = write(typeof inner === "object" && inner !== null && !Array.isArray(inner) ? inner : {}, rest.join("."), value);
  } else if (value === undefined) {
    delete next[key];
  } else {
    next[key] = value;
  }
  return next;
}

/** The contract file of a form: figures become numbers; what is no figure stays, so that the node says what is wrong with it. */
export function fileOf(form: OfferFile): OfferFile {
  return figured(form) as OfferFile;
}

function figured(part: Part, key = ""): Part {
  if (Array.isArray(part)) return part.map((one) => figured(one));
  if (typeof part === "object" && part !== null) {
    const kept = Object.entries(part).filter(([name, value]) => !(value === "" && OPTIONAL.has(name)));
    return Object.fromEntries(kept.map(([name, value]) => [name, figured(value, name)]));
  }
  return FIGURES.has(key) && typeof part === "string" && FIGURE.test(part.trim()) ? Number(part) : part;
}

/** What a form holds of a contract file that was read. */
export function formOf(part: Part, key = ""): Part {
  if (Array.isArray(part)) return part.map((one) => formOf(one));
  if (typeof part === "object" && part !== null) return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, formOf(value, name)]));
  return FIGURES.has(key) && typeof part === "number" ? String(part) : part;
}

/** Faults of the file that concern a field: at its place, or below it. */
export function faultsOf(faults: readonly FaultShape[], field: Field): FaultShape[] {
  return faults.filter((fault) => concerns(fault, field));
}

/** Faults that no field of the form concerns. */
export function otherFaults(faults: readonly FaultShape[]): FaultShape[] {
  return faults.filter((fault) => !FIELDS.some((field) => concerns(fault, field)));
}

const concerns = (fault: FaultShape, field: Field): boolean => fault.where === field || (fault.where ?? "").startsWith(`${field}.`) || (fault.where ?? "").startsWith(`${field}[`);

/** First day of the month after next midnight, and the same day a year later. */
export function comingYear(day: string): { from: string; to: string } {
  const [year = 2026, month = 1] = day.split("-").map(Number);
  const begin = new Date(Date.UTC(year, month, 1));
  const end = new Date(Date.UTC(year + 1, month, 1));
  return { from: begin.toISOString().slice(0, 10), to: end.toISOString().slice(0, 10) };
}

/** The same terms for as long again, from the end on. */
export function followingTerm(file: OfferFile): OfferFile {
  const [from, to] = [textOf(file, "period.from"), textOf(file, "period.to")].map((day) => new Date(`${day}T00:00:00Z`));
  if (!from || !to || Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return file;
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  const end = new Date(to);
  if (from.getUTCDate() === to.getUTCDate()) end.setUTCMonth(end.getUTCMonth() + months);
  else end.setTime(2 * to.getTime() - from.getTime());
  return write(write(file, "period.from", textOf(file, "period.to")), "period.to", end.toISOString().slice(0, 10));
}

/** How an offer is called. */
export interface Named {
  contract: string;
  title: string;
}

/** An offer to begin with; the service head changes what is different this time. */
export function newOffer(provider: string, customer: string, machines: string[], named: Named, zone: string, today: string): OfferFile {
  return {
    ...named,
    version: "1",
    provider,
    customer,
    machines,
    period: { ...comingYear(today), time_zone: zone },
    currency: "EUR",
    price: { fee: "", per: "year" },
    guarantee: {
      level: "98",
      formula: "guarantee@1",
      basis: "calendar",
      settle: "month",
      credit: { form: "stepped", step: "0.1", percent: "0.5", cap: "10" },
      gaps: { rule: "pro_rata", telemetry: "provider" },
      burden_of_proof: "provider",
      exclusions: [{ kind: "force_majeure" }, { kind: "access_refused" }, { kind: "customer_operation" }],
      malus: "price_reduction",
    },
    acceptance: "given",
  };
}
