import { describe, expect, it } from "vitest";
import { offersOf } from "./OfferComparison";

const CRANE = { id: "crane-98", title: "98 %", versions: [1, 2], machines: ["crane-1"] };

describe("offers for the same machines", () => {
  it("are all versions of the contract and other contracts that share a machine", () => {
    const others = [
      { id: "crane-98", version: 2, title: "98 %", machines: ["crane-1"] },
      { id: "crane-97", version: 3, title: "97 %", machines: ["mill-1", "crane-1"] },
      { id: "mills", version: 1, title: "Mills", machines: ["mill-1"] },
    ];
    expect(offersOf(CRANE, others).map((one) => `${one.id}@${one.version}`)).toEqual(["crane-98@1", "crane-98@2", "crane-97@3"]);
  });
});
