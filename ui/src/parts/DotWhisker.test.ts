import { describe, expect, it } from "vitest";
import { linesOf, ticksOf } from "./DotWhisker";

describe("ticks of differences", () => {
  it("are round and have zero among them", () => {
    expect(ticksOf(-0.3, 4.1, 4)).toEqual([0, 2, 4]);
    expect(ticksOf(-1, 1, 4)).toContain(0);
  });
  it("are zero alone where nothing differs", () => {
    expect(ticksOf(0, 0, 4)).toEqual([0]);
  });
});

describe("names above their whiskers", () => {
  it("are broken between words and lose nothing", () => {
    expect(linesOf("Looking for information on a fault", 20)).toEqual(["Looking for", "information on a", "fault"]);
    expect(linesOf("Looking for tools", 40)).toEqual(["Looking for tools"]);
  });
  it("are broken inside a word that fits no line", () => {
    expect(linesOf("a Donaudampfschifffahrt", 10)).toEqual(["a", "Donaudampf", "schifffahr", "t"]);
    expect(linesOf("", 10)).toEqual([]);
  });
});
