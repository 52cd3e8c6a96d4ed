import { expect, it } from "vitest";
import { bandWords } from "./TermCards";

it("says what a miss is worth in words", () => {
  expect(bandWords({ form: "stepped", step: "0.1", credit: "0.5", cap: "10" })).toBe("0.5 % of the fee for each whole 0.1 %, at most 10 %");
  expect(bandWords({ form: "linear", step: "0.1", credit: "0.8", cap: "12" })).toContain("parts in proportion");
  expect(bandWords({ form: "table", rungs: [{ below: "97.5", credit: "2" }, { below: "96", credit: "8" }], cap: "20" })).toBe("below 97.5 %: 2 %, below 96 %: 8 %; at most 20 % of the fee");
  expect(bandWords({ form: "liquidated", rate: "40", meter: "energy" })).toContain("40 a unit of energy");
});
