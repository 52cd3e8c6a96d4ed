/** Canonical states (domain `State`): how each is drawn. Colour alone never tells: each has a pattern and a glyph. */

export const STATES = [
  "producing",
  "setup",
  "standby",
  "starved",
  "blocked",
  "failed",
  "repair",
  "preventive",
  "planned_stop",
  "external",
  "off",
  "unknown",
] as const;

export type StateName = (typeof STATES)[number];
export type Pattern = "plain" | "diagonal" | "back" | "dots" | "vertical" | "cross" | "horizontal" | "hatch";

export const PATTERNS: Record<StateName, Pattern> = {
  producing: "plain",
  setup: "diagonal",
  standby: "plain",
  starved: "dots",
  blocked: "vertical",
  failed: "plain",
  repair: "back",
  preventive: "cross",
  planned_stop: "horizontal",
  external: "back",
  off: "plain",
  unknown: "hatch",
};

/** SVG paths in a 16 x 16 box; drawn with the text's colour. */
export const GLYPHS: Record<StateName, string> = {
  producing: "M4 2.5v11l9-5.5z",
  setup: "M8 1.5l6.5 6.5L8 14.5 1.5 8zM8 5L5 8l3 3 3-3z",
  standby: "M3.5 3h3v10h-3zM9.5 3h3v10h-3z",
  starved: "M9 3L3.5 8 9 13v-3h4V6H9z",
  blocked: "M2 3h2.5v10H2zM6 8l5-5v3h3v4h-3v3z",
  failed: "M5 1h6l4 4v6l-4 4H5l-4-4V5zM5.6 4.2L4.2 5.6 6.6 8l-2.4 2.4 1.4 1.4L8 9.4l2.4 2.4 1.4-1.4L9.4 8l2.4-2.4-1.4-1.4L8 6.6z",
  repair: "M10.5 1.5a4 4 0 0 0-3.6 5.6L1.5 12.5l2 2 5.4-5.4a4 4 0 0 0 5.2-5l-2.4 2.4-2-2 2.4-2.4a4 4 0 0 0-1.6-.6z",
  preventive: "M8 1l6 2v5c0 3.5-2.5 6-6 7-3.5-1-6-3.5-6-7V3zm0 2L4 4.4V8c0 2.3 1.5 4 4 4.9 2.5-.9 4-2.6 4-4.9V4.4z",
  planned_stop: "M3 3h10v10H3zm2 2v6h6V5z",
  external: "M9 1L3 9h4l-1 6 7-9H8.5z",
  off: "M7 1.5h2v6H7zM4.6 3.2A6 6 0 1 0 11.4 3.2l-1 1.8a4 4 0 1 1-4.8 0z",
  unknown: "M8 1.5a4 4 0 0 1 1.2 7.8V11H6.8V7.5H8a1.7 1.7 0 1 0-1.7-1.7H4a4 4 0 0 1 4-4.3zM6.8 12.4h2.4v2.2H6.8z",
};

/** How loud a state is: abnormal states alone may use saturated colour. */
export type Tone = "alarm" | "attention" | "calm" | "absent";

const TONES: Partial<Record<StateName, Tone>> = { failed: "alarm", repair: "attention", unknown: "absent", off: "absent" };

export function stateName(text: string | null | undefined): StateName {
  return (STATES as readonly string[]).includes(text ?? "") ? (text as StateName) : "unknown";
}

export const toneOf = (state: StateName): Tone => TONES[state] ?? "calm";

interface Urgent {
  kind: string;
  alarms: number;
  state: { state: string } | null;
  freshness_s: number | null;
}

const SILENT_AFTER_S = 300;

/** What needs somebody now comes first: failed, alarms, being repaired, held up from outside, silent, the rest. */
export function urgency(twin: Urgent): number {
  const state = stateName(twin.state?.state);
  if (state === "failed") return 0;
  if (twin.alarms > 0) return 1;
  if (state === "repair") return 2;
  if (state === "blocked" || state === "starved" || state === "external") return 3;
  if (state === "unknown" || (twin.freshness_s ?? 0) > SILENT_AFTER_S) return 4;
  return state === "producing" ? 6 : 5;
}
