import type { JoinedAlarm } from "../../api/types";
import type { StripItem } from "../../parts/strip-draw";
import { t } from "../../texts/en";
import { parseInstant } from "../../time/instant";

/** Signal and code: what the machine calls the alarm. */
export function nameOf(alarm: Pick<JoinedAlarm, "signal" | "code">): string {
  return alarm.code ? `${alarm.signal} · ${alarm.code}` : alarm.signal;
}

/** Alarms of one severity on a time line; a run of chatter is one stretch. */
export function alarmItems(alarms: readonly JoinedAlarm[], severity: JoinedAlarm["severity"], moment: number): StripItem[] {
  const fault = severity === "fault";
  const drawn = alarms.filter((alarm) => alarm.severity === severity);
  return drawn.map((alarm) => {
    const from = parseInstant(alarm.from);
    return {
      from,
      to: alarm.to === null ? Math.max(moment, from + 1) : Math.max(parseInstant(alarm.to), from + 1),
      label: alarm.code || alarm.text || alarm.signal,
      detail: [nameOf(alarm), t.severity[alarm.severity], alarm.text, alarm.count > 1 ? t.case.raised(alarm.count) : ""].filter(Boolean).join(" · "),
      fill: fault ? "--s-failed" : "--s-repair",
      pattern: fault ? "plain" : "diagonal",
    };
  });
}
