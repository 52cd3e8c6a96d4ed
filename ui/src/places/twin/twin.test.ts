import { describe, expect, it } from "vitest";
import type { ParameterShape, SignalShape, TwinState } from "../../api/types";
import { typed } from "./Commands";
import { completeness } from "./completeness";
import { heldValues, isStale, sideOf } from "./held";
import { gatheredLine, panelOf, rawLine, wordItems } from "./series";

const T0 = Date.UTC(2026, 8, 21, 8);
const at = (ms: number): string => new Date(T0 + ms).toISOString();

function signal(name: string, maxGapS: number | null, mode: "periodic" | "on-change" = "periodic"): SignalShape {
  return {
    name, type: "number", unit: "kW", semantic: "", title: "", range: [0, 10], limits: null, accuracy: 0.1, values: [],
    reporting: { mode, max_gap: maxGapS === null ? null : maxGapS * 1e9 }, component: "", owner: "",
  };
}

function state(value: number, ms: number): TwinState {
  const one = { value, unit: "kW", time: at(ms), received: at(ms), quality: 0, age_s: 1, range: [0, 10], stale: false };
  return { twin: "m", as_of: at(ms), values: { load: one }, state: null, alarms: [], coverage: {}, cut: {}, provenance: "" };
}

describe("values of a machine", () => {
  const load = signal("load", 5);

  it("takes the newer of what was read and what came live", () => {
    const older = heldValues([load], state(1, 1000), { load: [(T0 + 500) * 1e6, 2, 0, 0] });
    const newer = heldValues([load], state(1, 1000), { load: [(T0 + 1500) * 1e6, 3, 0, 0] });
    expect(older.get("load")?.value).toBe(1);
    expect(newer.get("load")?.value).toBe(3);
    expect(heldValues([load], { ...state(1, 0), values: {} }, {}).size).toBe(0);
  });

  it("looks stale once it is older than its signal may be silent", () => {
    const held = heldValues([load], state(1, 0), {}).get("load");
    expect(isStale(load, held, T0 + 5000)).toBe(false);
    expect(isStale(load, held, T0 + 5001)).toBe(true);
    expect(isStale(signal("load", null), held, T0 + 1e12)).toBe(false);
  });

  it("says on which side of its range a value lies; the bounds are inside", () => {
    expect([sideOf(10, [0, 10]), sideOf(10.1, [0, 10]), sideOf(-1, [0, 10]), sideOf(5, null)]).toEqual([null, "above", "below", null]);
  });
});

describe("lines of a chart", () => {
  it("lifts the pen at missing values and where silence lasted too long", () => {
    const line = rawLine([{ time: at(0), value: 1 }, { time: at(1000), value: null }, { time: at(2000), value: 2 }, { time: at(9000), value: 3 }], 5000);
    expect(line).toEqual([[T0, 1], [T0 + 1000, null], [T0 + 2000, 2], [T0 + 7000, null], [T0 + 9000, 3]]);
  });

  it("draws no gap for a signal that may be silent", () => {
    const buckets = [0, 1, 2, 3].map((i) => ({ from: at(i * 1000), to: at(i * 1000 + 1000), mean: i === 1 || i === 2 ? null : i }));
    expect(gatheredLine(buckets, Infinity).every(([, v]) => v !== null)).toBe(true);
    expect(gatheredLine(buckets, 500).some(([, v]) => v === null)).toBe(true);
  });

  it("makes a band of least and most only where there are values", () => {
    const panel = panelOf(signal("load", 5), {
      twin: "m", signal: "load", unit: "kW",
      buckets: [{ from: at(0), to: at(1000), count: 2, mean: 2, min: 1, max: 3 }, { from: at(1000), to: at(2000), count: 0 }],
    });
    expect(panel.band).toEqual([[T0, T0 + 1000, 1, 3]]);
  });

  it("joins equal words that follow each other and marks what is not known", () => {
    const items = wordItems([{ time: at(0), value: "A" }, { time: at(10), value: "A" }, { time: at(20), value: null }, { time: at(30), value: "B" }], T0 + 50);
    expect(items.map((i) => [i.label, i.from - T0, i.to - T0])).toEqual([["A", 0, 20], ["no value", 20, 30], ["B", 30, 50]]);
    expect(items[1]?.pattern).toBe("hatch");
  });
});

describe("completeness", () => {
  const buckets = (counts: number[]) => counts.map((count, i) => ({ from: at(i * 10_000), to: at((i + 1) * 10_000), count })) as never;

  it("is the share of time in which the signal kept its promise", () => {
    expect(completeness(signal("load", 5), buckets([1, 1, 0, 1]), T0 + 1e9)).toBe(0.75);
  });

  it("allows silence as long as the signal may be silent", () => {
    expect(completeness(signal("load", 20), buckets([1, 0, 0, 1]), T0 + 1e9)).toBe(0.75);
  });

  it("does not count time that has not come, and says nothing where silence is allowed", () => {
    expect(completeness(signal("load", 5), buckets([1, 1, 0, 0]), T0 + 20_000)).toBe(1);
    expect(completeness(signal("load", null), buckets([0]), T0 + 1e9)).toBeNull();
  });
});

describe("parameters of a command", () => {
  const parameter = (name: string, type: "number" | "text" | "flag", required = true): ParameterShape => ({ name, type, unit: "", minimum: null, maximum: null, values: [], required });

  it("become the API's types; what is left empty and not required is not sent", () => {
    const parameters = [parameter("speed", "number"), parameter("note", "text", false), parameter("slow", "flag")];
    expect(typed(parameters, { speed: "12.5", note: "", slow: true })).toEqual({ speed: 12.5, slow: true });
  });
});
