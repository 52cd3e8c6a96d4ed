import { expect, test } from "vitest";
import { codeUnits, leaves, pieces, underlined } from "./formula";

const FORMULA = "always(a > 4 -> b < 8)";
const PARTS = [
  { from: 0, to: 22, verdict: "false" as const },
  { from: 7, to: 12, verdict: "true" as const },
  { from: 16, to: 21, verdict: "false" as const },
];

test("each character has the verdict of the innermost part around it", () => {
  const found = pieces(FORMULA, PARTS);
  expect(found.map((piece) => piece.text).join("")).toBe(FORMULA);
  expect(found.find((piece) => piece.text === "a > 4")?.verdict).toBe("true");
  expect(found[0]).toEqual({ text: "always(", verdict: "false" });
});

test("without parts the text stays whole, and nothing is an empty formula", () => {
  expect(pieces(FORMULA, [])).toEqual([{ text: FORMULA, verdict: null }]);
  expect(pieces("", PARTS)).toEqual([]);
});

test("parts beyond the text do not make characters up", () => {
  expect(pieces("a > 4", [{ from: -3, to: 90, verdict: "inconclusive" }])).toEqual([{ text: "a > 4", verdict: "inconclusive" }]);
});

test("leaves are the parts that hold no smaller one, in the order of the text", () => {
  expect(leaves(FORMULA, [...PARTS].reverse())).toEqual([
    { text: "a > 4", verdict: "true" },
    { text: "b < 8", verdict: "false" },
  ]);
});

test("places count characters where the browser counts two units", () => {
  const text = "s == '🏗️' -> x";
  const [start, end] = codeUnits(text, 13, 14);
  expect(text.slice(start, end)).toBe(Array.from(text)[13]);
});

test("a fault without width marks the character before it, also at the end", () => {
  expect(underlined("a > ", [{ from: 4, to: 4 }])).toEqual([
    { text: "a >", faulty: false },
    { text: " ", faulty: true },
  ]);
  expect(underlined("ab", [{ from: 0, to: 0 }])).toEqual([
    { text: "a", faulty: true },
    { text: "b", faulty: false },
  ]);
  expect(underlined("", [{ from: 0, to: 0 }])).toEqual([]);
});
