/** Times as milliseconds since 1970 UTC (fractions allowed); RFC 3339 outside. */

const RFC3339 = /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

export function parseInstant(text: string): number {
  const m = RFC3339.exec(text);
  if (!m) return Number.NaN;
  const whole = Date.parse(`${m[1]}${m[3]}`.replace(" ", "T").toUpperCase());
  return whole + (m[2] ? Number(m[2]) * 1000 : 0);
}

/** RFC 3339 in UTC with as many decimals as the value needs (milliseconds at most six decimals). */
export function toRfc3339(ms: number): string {
  const whole = Math.floor(ms / 1000);
  const rest = ms - whole * 1000;
  const base = new Date(whole * 1000).toISOString().slice(0, 19);
  if (rest < 0.0005) return `${base}Z`;
  const digits = Number.isInteger(rest) ? String(rest).padStart(3, "0") : rest.toFixed(3).replace(".", "").padStart(6, "0");
  return `${base}.${digits}Z`;
}

/** So many whole seconds after an RFC 3339 time in UTC, with its fraction to the last digit. */
export function later(text: string, seconds: number): string {
  const m = RFC3339.exec(text);
  if (!m) return text;
  const whole = Date.parse(`${m[1]}Z`.replace(" ", "T").toUpperCase()) + Math.round(seconds) * 1000;
  return `${new Date(whole).toISOString().slice(0, 19)}${m[2] ?? ""}${m[3]}`;
}

const SPAN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)$/;
const UNIT: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_557_600_000,
};

export function parseSpan(text: string): number | null {
  const m = SPAN.exec(text);
  return m ? Number(m[1]) * (UNIT[m[2] ?? ""] ?? Number.NaN) : null;
}

/** A duration as people say it: two units at most, the second one left out where it is nothing. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const sign = ms < 0 ? "−" : "";
  const v = Math.abs(ms);
  if (v === 0) return "0 s";
  if (v < 1000) return `${sign}${v < 10 ? Number(v.toFixed(2)) : Math.round(v)} ms`;
  if (v < 60_000) return `${sign}${v < 10_000 ? Number((v / 1000).toFixed(1)) : Math.round(v / 1000)} s`;
  const total = Math.round(v / 1000);
  if (v < 3_600_000) return sign + two(Math.floor(total / 60), "min", total % 60, "s");
  const minutes = Math.round(v / 60_000);
  if (v < 48 * 3_600_000) return sign + two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(v / 3_600_000);
  if (v < 365 * 86_400_000) return sign + two(Math.floor(hours / 24), "d", hours % 24, "h");
  const days = Math.round(v / 86_400_000);
  return sign + two(Math.floor(days / 365), "y", days % 365, "d");
}

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b ? `${a} ${unitA} ${b} ${unitB}` : `${a} ${unitA}`;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function parts(ms: number, zone: string): Record<string, string> {
  let f = formatters.get(zone);
  if (!f) {
    f = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "shortOffset",
    });
    formatters.set(zone, f);
  }
  return Object.fromEntries(f.formatToParts(ms).map((p) => [p.type, p.value]));
}

export type Precision = "day" | "minute" | "second" | "ms";

/** Local time of the plant, never ambiguous: 2026-09-21 08:15:00. */
export function formatInstant(ms: number, zone: string, precision: Precision = "second"): string {
  if (!Number.isFinite(ms)) return "–";
  const p = parts(ms, zone);
  const day = `${p.year}-${p.month}-${p.day}`;
  if (precision === "day") return day;
  const minute = `${day} ${p.hour}:${p.minute}`;
  if (precision === "minute") return minute;
  const second = `${minute}:${p.second}`;
  return precision === "second" ? second : `${second}.${String(Math.floor(((ms % 1000) + 1000) % 1000)).padStart(3, "0")}`;
}

export function formatClock(ms: number, zone: string, precision: Precision = "minute"): string {
  return formatInstant(ms, zone, precision).slice(11);
}

/** The zone's name as people write it next to a time, such as UTC+3. */
export function zoneLabel(zone: string, at: number): string {
  return (parts(at, zone).timeZoneName ?? zone).replace("GMT", "UTC");
}

/** Start of the plant's local day that holds the instant. */
export function startOfDay(ms: number, zone: string): number {
  const p = parts(ms, zone);
  const sinceMidnight = Number(p.hour) * 3_600_000 + Number(p.minute) * 60_000 + Number(p.second) * 1000 + (ms % 1000);
  const guess = ms - sinceMidnight;
  // On days when the clock changes the difference is an hour off: correct by what the guess shows.
  const g = parts(guess, zone);
  const off = Number(g.hour) * 3_600_000 + Number(g.minute) * 60_000;
  if (off === 0) return guess;
  return off > 12 * 3_600_000 ? guess + (86_400_000 - off) : guess - off;
}

/** What a person typed in the plant's zone (2026-09-21T08:15 or with a blank) as an instant. */
export function parseLocal(text: string, zone: string): number {
  const m = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (!m) return Number.NaN;
  const n = m.slice(1).map((x) => Number(x || 0));
  const asUtc = Date.UTC(n[0] ?? 0, (n[1] ?? 1) - 1, n[2], n[3], n[4], n[5] ?? 0);
  const first = asUtc - offset(asUtc, zone);
  return asUtc - offset(first, zone);
}

function offset(ms: number, zone: string): number {
  const p = parts(ms, zone);
  const local = Date.UTC(
    Number(p.year),
    Number(p.month) - 1,
    Number(p.day),
    Number(p.hour),
    Number(p.minute),
    Number(p.second),
  );
  return local - Math.floor(ms / 1000) * 1000;
}
