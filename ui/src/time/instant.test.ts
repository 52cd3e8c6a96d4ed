import { describe, expect, it } from "vitest";
import { formatDuration, formatInstant, later, parseInstant, parseLocal, parseSpan, startOfDay, toRfc3339, zoneLabel } from "./instant";

const HELSINKI = "Europe/Helsinki";

describe("instants", () => {
  it("reads RFC 3339 with offset and up to nine decimals", () => {
    expect(parseInstant("2026-09-21T08:15:00.250Z")).toBe(Date.UTC(2026, 8, 21, 8, 15, 0, 250));
    expect(parseInstant("2026-09-21T11:15:00.250123456+03:00")).toBeCloseTo(Date.UTC(2026, 8, 21, 8, 15, 0, 250) + 0.123456, 3);
  });

  it.each(["", "2026-09-21", "2026-09-21T08:15:00", "yesterday", "2026-13-41T99:00:00Z"])("refuses %j", (text) => {
    expect(parseInstant(text)).toBeNaN();
  });

  it("writes what it read", () => {
    for (const text of ["2026-09-21T08:15:00Z", "2026-09-21T08:15:00.250Z", "1969-12-31T23:59:59.999Z"]) {
      expect(toRfc3339(parseInstant(text))).toBe(text);
    }
  });

  it("shows the plant's time, not the browser's, and names the zone", () => {
    const at = Date.UTC(2026, 6, 1, 21, 30);
    expect(formatInstant(at, HELSINKI)).toBe("2026-07-02 00:30:00");
    expect(formatInstant(at + 7, HELSINKI, "ms")).toBe("2026-07-02 00:30:00.007");
    expect(zoneLabel(HELSINKI, at)).toBe("UTC+3");
  });

  it.each([
    ["a plain day", Date.UTC(2026, 6, 1, 21, 30), "2026-07-01T21:00:00Z"],
    ["the day of 23 hours", Date.UTC(2026, 2, 29, 12), "2026-03-28T22:00:00Z"],
    ["the day of 25 hours", Date.UTC(2026, 9, 25, 20), "2026-10-24T21:00:00Z"],
  ])("finds the start of %s", (_, at, start) => {
    expect(toRfc3339(startOfDay(at, HELSINKI))).toBe(start);
  });

  it("understands what a person types in the plant's zone, in summer and winter", () => {
    expect(toRfc3339(parseLocal("2026-07-02T00:30", HELSINKI))).toBe("2026-07-01T21:30:00Z");
    expect(toRfc3339(parseLocal("2026-12-02 00:30:15", HELSINKI))).toBe("2026-12-01T22:30:15Z");
    expect(parseLocal("soon", HELSINKI)).toBeNaN();
  });
});

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [0.5, "0.5 ms"],
    [250, "250 ms"],
    [1500, "1.5 s"],
    [59_000, "59 s"],
    [61_000, "1 min 1 s"],
    [3_599_600, "60 min"],
    [5_400_000, "1 h 30 min"],
    [50 * 3_600_000, "2 d 2 h"],
    [400 * 86_400_000, "1 y 35 d"],
    [-90_000, "−1 min 30 s"],
    [Number.NaN, "–"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("reads spans of the address", () => {
    expect(parseSpan("15m")).toBe(900_000);
    expect(parseSpan("1y")).toBe(31_557_600_000);
    expect(parseSpan("15")).toBeNull();
  });
});

it("a time later keeps its fraction to the last digit", () => {
  expect(later("2026-11-15T05:34:50.399999976Z", 540)).toBe("2026-11-15T05:43:50.399999976Z");
  expect(later("2026-12-31T23:59:30Z", 60)).toBe("2027-01-01T00:00:30Z");
});
