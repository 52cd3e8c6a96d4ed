import { describe, expect, it } from "vitest";
import { ticksOf } from "./DotWhisker";

describe("ticks of differences", () => {
  it("are round and have zero among them", () => {
    expect(ticksOf(-0.3, 4.1, 4)).toEqual([0, 2, 4]);
    expect(ticksOf(-1, 1, 4)).toContain(0);
  });
  it("are zero alone where nothing differs", () => {
    expect(ticksOf(0, 0, 4)).toEqual([0]);
  });
});
