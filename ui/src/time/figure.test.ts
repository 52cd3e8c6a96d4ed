import { describe, expect, it } from "vitest";
import { decimalsFor, formatNumber, formatRatio, unitText } from "./figure";

describe("numbers", () => {
  it("separates thousands and keeps the decimals asked for", () => {
    expect(formatNumber(1234567.891, 1)).toBe("1\u202f234\u202f567.9");
    expect(formatNumber(-0.04, 1)).toBe("0.0");
    expect(formatNumber(-1234.5, 1)).toBe("−1\u202f234.5");
    expect(formatNumber(Number.NaN, 1)).toBe("–");
  });

  it("shows no more decimals than the sensor can tell apart", () => {
    expect(decimalsFor(21.345, [15, 80], 0.5)).toBe(1);
    expect(decimalsFor(21.345, [15, 80], 0.001)).toBe(3);
    expect(decimalsFor(9941.2, [0, 12000], 10)).toBe(0);
    expect(decimalsFor(12, [0, 40], null, "1")).toBe(0);
  });

  it("says ratios in percent, and nothing where there is no ratio", () => {
    expect(formatRatio(0.65625)).toBe("65.6");
    expect(formatRatio(null)).toBe("–");
  });

  it("writes units as people do", () => {
    expect([unitText("Cel"), unitText("1"), unitText("{part}"), unitText("{cycle_count}"), unitText("kW")]).toEqual(["°C", "", "parts", "cycle count", "kW"]);
  });
});
