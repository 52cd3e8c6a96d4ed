import { describe, expect, it } from "vitest";
import { aligned, bounded, bucketWidth, durationText, moved, zoomed } from "./window";

const DAY = 86_400_000;

describe("windows of time", () => {
  it("keeps the place under the pointer when zooming", () => {
    const w = zoomed({ from: 0, to: 1000 }, 0.5, 0.25);
    expect(w).toEqual({ from: 125, to: 625 });
    expect(w.from + (w.to - w.from) * 0.25).toBe(250);
  });

  it("zooms from years to a millisecond, and not beyond", () => {
    let w = { from: 0, to: 3650 * DAY };
    for (let i = 0; i < 100; i += 1) w = zoomed(w, 0.5);
    expect(w.to - w.from).toBeCloseTo(1, 6);
    expect(bounded({ from: 0, to: 1e18 }).to - bounded({ from: 0, to: 1e18 }).from).toBeLessThan(41 * 366 * DAY);
  });

  it("moves by a share of its width", () => {
    expect(moved({ from: 0, to: 100 }, -0.5)).toEqual({ from: -50, to: 50 });
  });

  it.each([1000, 60_000, 3_600_000, DAY, 365 * DAY, 10 * 365 * DAY])("never asks for more buckets than agreed over %d ms", (width) => {
    expect(width / bucketWidth(width)).toBeLessThanOrEqual(600);
  });

  it("asks the same question while a window moves inside a bucket", () => {
    expect(aligned({ from: 1010, to: 5010 }, 1000)).toEqual(aligned({ from: 1900, to: 5900 }, 1000));
  });

  it("writes buckets as the API reads durations", () => {
    expect([durationText(500), durationText(60_000), durationText(1500)]).toEqual(["500ms", "60s", "1500ms"]);
  });
});
