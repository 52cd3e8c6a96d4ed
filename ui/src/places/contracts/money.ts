import { formatNumber } from "../../time/figure";

/** Decimal text as money: the currency's decimals, thousands parted. */
export function money(amount: string | null | undefined, currency = ""): string {
  if (amount === null || amount === undefined) return "–";
  const digits = currency === "JPY" || currency === "KRW" ? 0 : 2;
  return `${formatNumber(Number(amount), digits)}${currency ? ` ${currency}` : ""}`;
}

/** Percent as the contract rounds it, or with two decimals. */
export const percent = (value: string | null | undefined, decimals = 2): string =>
  value === null || value === undefined ? "–" : formatNumber(Number(value), decimals);

/** A share 0 to 1 in percent. */
export const share = (value: number, decimals = 0): string => formatNumber(value * 100, decimals);

/** The machine of a period that stands worst: what a contract is judged by. */
export function worst<M extends { rounded_percent: string | null }>(machines: readonly M[]): M | undefined {
  return machines.reduce<M | undefined>(
    (low, one) => (low === undefined || Number(one.rounded_percent ?? 101) < Number(low.rounded_percent ?? 101) ? one : low),
    undefined,
  );
}
