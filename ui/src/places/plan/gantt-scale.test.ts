import { describe, expect, it } from "vitest";
import type { MachineLane, PlacedOperation, Schedule } from "../../api/types";
import { closedTime, HOUR, placeAfter, STEP, ticks, timeAt, x } from "./gantt-scale";

const day = Date.parse("2026-01-05T00:00:00Z");
const lane = (machine: string, windows: [string, string][] | null = null): MachineLane => ({ machine, title: machine, windows, blocked: [] });

describe("the board's scale", () => {
  it("turns times into pixels and back", () => {
    const scale = { from: day, to: day + 24 * HOUR, width: 960 };
    expect(x(scale, day + 6 * HOUR)).toBe(240);
    expect(timeAt(scale, 240)).toBe(day + 6 * HOUR);
    expect(ticks(scale).every((at) => (at - day) % HOUR === 0)).toBe(true);
  });
  it("finds the time between shifts", () => {
    const shift = lane("m", [["2026-01-05T06:00:00Z", "2026-01-05T14:00:00Z"]]);
    expect(closedTime(shift, day, day + 24 * HOUR)).toEqual([
      [day, day + 6 * HOUR],
      [day + 14 * HOUR, day + 24 * HOUR],
    ]);
    expect(closedTime(lane("m"), day, day + HOUR)).toEqual([]);
  });
  it("moves by quarters of an hour, and only to machines that can do it", () => {
    const one = { machine: "a", machines: ["a", "c"], start: "2026-01-05T06:00:00Z" } as PlacedOperation;
    const plan = { machines: [lane("a"), lane("b"), lane("c")] } as Schedule;
    expect(placeAfter(plan, one, 1, 1)).toEqual({ machine: "c", start: day + 6 * HOUR + STEP });
    expect(placeAfter(plan, one, -2, -1)).toEqual({ machine: "a", start: day + 6 * HOUR - 2 * STEP });
  });
});
