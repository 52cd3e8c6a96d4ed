import type { CSSProperties } from "react";

/**
 * For a table of the class `stacks`: on a phone its rows become blocks, one under the other, and each value stands
 * under the title of its column. Titles beyond the stylesheet's count of columns are not shown there.
 */
export function stackedBy(titles: readonly (string | undefined)[]): CSSProperties {
  return Object.fromEntries(titles.map((title, n) => [`--column-${n + 1}`, JSON.stringify(title ?? "")]));
}
