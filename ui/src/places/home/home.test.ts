import { describe, expect, it } from "vitest";
import { below } from "../../data/twins";
import { closeness } from "./closeness";
import { madeOf } from "./production";

describe("production today", () => {
  it("compares with what the planned time allows at the ideal cycle", () => {
    const terms = { made: { a: 100, b: 50 }, good: { a: 99 }, ideal_s: 6000, in_state_s: { producing: 7000, failed: 1000, planned_stop: 900, unknown: 50 } };
    expect(madeOf({ terms })).toEqual({ made: 150, good: 99, planned: 200 });
  });

  it("makes no plan up where no cycle is known", () => {
    expect(madeOf({ terms: { made: { a: 3 }, good: {}, ideal_s: null, in_state_s: { producing: 10 } } }).planned).toBeNull();
    expect(madeOf({ terms: {} })).toEqual({ made: 0, good: 0, planned: null });
  });
});

describe("plants", () => {
  it("finds the machines below a group, once each, even in a circle", () => {
    const twin = (id: string, kind: string, parent: string | null) => ({ id, kind, parent });
    const all = [twin("f", "factory", "l"), twin("l", "line", "f"), twin("m", "machine", "l"), twin("n", "machine", "f")] as never;
    expect(below("f", all).map((one) => one.id).sort()).toEqual(["m", "n"]);
  });

  it("knows how near a value is to its bounds", () => {
    expect([closeness(5, [0, 10]), closeness(10, [0, 10]), closeness(15, [0, 10]), closeness(undefined, [0, 10]), closeness(1, null)]).toEqual([0, 1, 2, -1, -1]);
  });
});
