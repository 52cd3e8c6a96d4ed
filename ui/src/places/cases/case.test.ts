import { expect, test } from "vitest";
import { alarmItems } from "./alarm";
import { statusText } from "./marks";
import { offered } from "./offered";
import { around } from "./violation";

test("a safety case is never offered to be shelved", () => {
  for (const alarm of ["unacknowledged", "acknowledged", "returned", "normal"] as const) {
    expect(offered({ status: "violated", alarm, severity: "safety", source: "" })).not.toContain("shelve");
    expect(offered({ status: "violated", alarm, severity: "high", source: "" })).toContain("shelve");
  }
});

test("what has ended takes remarks alone", () => {
  expect(offered({ status: "verified", alarm: "normal", severity: "low", source: "" })).toEqual(["note"]);
  expect(offered({ status: "closed", alarm: "normal", severity: "safety", source: "" })).toEqual(["note"]);
});

test("only what nobody has seen is acknowledged, and the shelved is not shelved twice", () => {
  expect(offered({ status: "repaired", alarm: "returned", severity: "low", source: "" })[0]).toBe("acknowledge");
  expect(offered({ status: "violated", alarm: "acknowledged", severity: "low", source: "" })).not.toContain("acknowledge");
  expect(offered({ status: "violated", alarm: "shelved", severity: "low", source: "" })).not.toContain("shelve");
});

const finding = (from: string, to: string | null) => ({ id: "f", from, to, determined: from, least: null, most: null, cut: {}, told: null });

test("the window holds the violation with room around it, however short", () => {
  const at = Date.parse("2026-09-21T08:00:00Z");
  const short = around(finding("2026-09-21T07:00:00Z", "2026-09-21T07:00:00.001Z"), at);
  expect(short.to - short.from).toBeGreaterThanOrEqual(60_000);
  const goesOn = around(finding("2026-09-21T07:00:00Z", null), at);
  expect(goesOn.from).toBeLessThan(at - 3_600_000);
  expect(goesOn.to).toBeGreaterThanOrEqual(at);
});

test("a violation that begins after the browser's clock still has a window", () => {
  const { from, to } = around(finding("2026-09-21T09:00:00Z", null), Date.parse("2026-09-21T08:00:00Z"));
  expect(to).toBeGreaterThan(from);
});

const alarm = (severity: "fault" | "warning", code: string, from: string, to: string | null, count = 1) => ({ signal: "system", code, text: "", severity, component: "", from, last: from, to, count });

test("each severity has its own line, chatter is one stretch, and what goes on ends now", () => {
  const now = Date.parse("2026-09-21T08:00:00Z");
  const alarms = [alarm("fault", "E7", "2026-09-21T07:00:00Z", null), alarm("warning", "W1", "2026-09-21T07:10:00Z", "2026-09-21T07:20:00Z", 40)];
  const [fault, ...noFault] = alarmItems(alarms, "fault", now);
  const [warning, ...noWarning] = alarmItems(alarms, "warning", now);
  expect([noFault, noWarning]).toEqual([[], []]);
  expect([fault?.label, fault?.to]).toEqual(["E7", now]);
  expect(warning?.to).toBe(Date.parse("2026-09-21T07:20:00Z"));
  expect(warning?.detail).toContain("raised 40 times");
});

test("what a service found may be dismissed, what is violated may not", () => {
  const found = { status: "violated", alarm: "unacknowledged", severity: "low", source: "anomaly" } as const;
  expect(offered(found)).toContain("dismiss");
  expect(offered({ ...found, source: "" })).not.toContain("dismiss");
  expect(statusText("violated", true, "anomaly")).not.toBe(statusText("violated", true));
});
