import { describe, expect, it } from "vitest";
import { timeTicks } from "./axis";
import { withLonePoints } from "./chart-option";
import { type Column, formatSort, parseSort, sortRows, toCsv } from "./Grid";
import { linePath } from "./Sparkline";
import { GLYPHS, PATTERNS, stateName, STATES, urgency } from "./states";
import { t } from "../texts/en";

interface Row {
  name: string;
  n: number | null;
}
const columns: Column<Row>[] = [
  { key: "name", title: "Name", value: (r) => r.name, cell: (r) => r.name },
  { key: "n", title: "N", value: (r) => r.n, cell: (r) => String(r.n) },
  { key: "action", title: "Action", cell: () => "x" },
];
const rows: Row[] = [{ name: "mill-10", n: 2 }, { name: "mill-9", n: null }, { name: "crane, \"1\"", n: 1 }];

describe("tables", () => {
  it("sorts numbers in names as numbers, and rows without a value last either way", () => {
    expect(sortRows(rows, columns, parseSort("name")).map((r) => r.name)).toEqual(["crane, \"1\"", "mill-9", "mill-10"]);
    expect(sortRows(rows, columns, parseSort("n")).map((r) => r.n)).toEqual([1, 2, null]);
    expect(sortRows(rows, columns, parseSort("-n")).map((r) => r.n)).toEqual([2, 1, null]);
    expect(formatSort(parseSort("-n"))).toBe("-n");
  });

  it("exports RFC 4180", () => {
    expect(toCsv(rows, columns)).toBe('Name,N\r\nmill-10,2\r\nmill-9,\r\n"crane, ""1""",1\r\n');
  });
});

describe("states", () => {
  it("each have a word, a glyph and a pattern", () => {
    for (const state of STATES) expect([t.states[state], GLYPHS[state], PATTERNS[state]].every(Boolean)).toBe(true);
  });

  it("that nobody knows are unknown", () => {
    expect([stateName("producing"), stateName("dancing"), stateName(null)]).toEqual(["producing", "unknown", "unknown"]);
  });

  it("put what needs somebody first", () => {
    const twin = (state: string, alarms = 0, freshness_s: number | null = 1) => ({ kind: "machine", alarms, state: { state }, freshness_s });
    const order = [twin("failed"), twin("producing", 1), twin("repair"), twin("blocked"), twin("producing", 0, 1000), twin("standby"), twin("producing")];
    expect(order.map(urgency)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // At a moment of the past it is not said how old the newest data were: the state alone tells.
    expect(urgency(twin("producing", 0, null))).toBe(6);
  });
});

describe("axes and small trends", () => {
  it("puts ticks on whole local days across a change of the clock", () => {
    const from = Date.UTC(2026, 2, 27);
    const ticks = timeTicks(from, from + 5 * 86_400_000, "Europe/Helsinki", 8);
    expect(ticks.map((tick) => tick.label)).toEqual(["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31", "2026-04-01"].slice(0, ticks.length));
    expect((ticks[2]?.at ?? 0) - (ticks[1]?.at ?? 0)).toBe(23 * 3_600_000);
  });

  it.each([10, 1000, 60_000, 86_400_000, 10 * 31_557_600_000])("draws at most as many ticks as fit over %d ms", (width) => {
    const ticks = timeTicks(1e12, 1e12 + width, "Europe/Helsinki", 8);
    expect(ticks.length).toBeGreaterThan(0);
    expect(ticks.length).toBeLessThanOrEqual(9);
  });

  it("lifts the pen over a gap", () => {
    const path = linePath([{ at: 0, value: 1 }, { at: 1, value: 2 }, { at: 2, value: null }, { at: 3, value: 1 }], (x) => x, (y) => y);
    expect(path.match(/M/g)).toHaveLength(2);
  });
});

describe("points between gaps", () => {
  const gappy = Array.from({ length: 200 }, (_, k): [number, number | null] => [k, k % 2 ? null : k]);
  it("are drawn, however many there are", () => {
    const drawn = withLonePoints(gappy) as { value: [number, number | null]; symbol: string }[];
    expect(drawn.filter((point) => point.symbol === "circle").map((point) => point.value[0])).toEqual(gappy.filter(([, v]) => v !== null).map(([at]) => at));
  });
  it("cost nothing where a line reaches every point", () => {
    const whole = gappy.map(([at]): [number, number | null] => [at, 1]);
    expect(withLonePoints(whole)).toBe(whole);
  });
});
