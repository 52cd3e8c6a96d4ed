// A small made-up plant in the API's shapes, for looking at pages and testing them without a node. Not part of the build.
const STATES = ["producing", "setup", "standby", "starved", "blocked", "failed", "repair", "planned_stop", "unknown"];
const START = Date.now();

export const iso = (ms) => new Date(ms).toISOString();

/** Repeatable noise: the same seed and time give the same value. */
export function noise(seed, x) {
  const s = Math.sin(seed * 127.1 + x * 311.7) * 43758.5453;
  return s - Math.floor(s);
}

export const hash = (text) => [...text].reduce((h, c) => (h * 31 + c.charCodeAt(0)) | 0, 7) >>> 0;

const number = (name, title, component, unit, range, limits, accuracy, maxGap = 5) => ({
  name, type: "number", unit, semantic: "", title, range, limits, accuracy, values: [],
  reporting: { mode: "periodic", max_gap: maxGap * 1e9 }, component, owner: "",
});
const text = (name, title, component, values) => ({
  name, type: "text", unit: "", semantic: "", title, range: null, limits: null, accuracy: null, values,
  reporting: { mode: "on-change", max_gap: null }, component, owner: "",
});

const MILL = {
  reference: "mill-500@2",
  components: [["spindle", "Spindle"], ["spindle.bearing", "Spindle bearing"], ["axes", "Axes"], ["coolant", "Coolant circuit"], ["control", "Control"]],
  signals: [
    text("control.execution", "Execution", "control", ["ACTIVE", "READY", "STOPPED"]),
    text("control.mode", "Controller mode", "control", ["AUTOMATIC", "MANUAL"]),
    text("control.program", "Program", "control", []),
    number("spindle.temperature", "Spindle temperature", "spindle", "Cel", [15, 80], [-20, 200], 0.5),
    number("spindle.load", "Spindle load", "spindle", "%", [0, 90], [0, 200], 1),
    number("spindle.speed", "Spindle speed", "spindle", "{rpm}", [0, 12000], [0, 15000], 10),
    number("spindle.bearing.vibration", "Bearing vibration", "spindle.bearing", "mm/s", [0, 4.5], [0, 100], 0.05),
    number("axes.x.position", "X position", "axes", "mm", [0, 800], [-10, 820], 0.001),
    number("coolant.pressure", "Coolant pressure", "coolant", "bar", [4, 8], [0, 20], 0.1),
    number("coolant.level", "Coolant level", "coolant", "%", [20, 100], [0, 100], 1),
    number("power", "Electrical power", "", "kW", [0, 18], [0, 60], 0.1),
    number("parts.total", "Parts made", "", "1", null, [0, 1e9], null),
    number("parts.good", "Good parts", "", "1", null, [0, 1e9], null),
  ],
};
const CRANE = {
  reference: "crane-20t@1",
  components: [["hoist", "Hoist"], ["hoist.brake", "Hoist brake"], ["bridge", "Bridge"], ["trolley", "Trolley"]],
  signals: [
    text("state", "Crane state", "", ["LIFTING", "MOVING", "IDLE"]),
    number("hoist.load", "Load", "hoist", "t", [0, 20], [0, 30], 0.01),
    number("hoist.height", "Hook height", "hoist", "m", [0, 12], [-1, 14], 0.01),
    number("hoist.brake.temperature", "Brake temperature", "hoist.brake", "Cel", [10, 120], [-20, 400], 1),
    number("hoist.brake.wear", "Brake lining left", "hoist.brake", "%", [25, 100], [0, 100], 1),
    number("bridge.speed", "Bridge speed", "bridge", "m/s", [0, 1.6], [0, 3], 0.01),
    number("power", "Electrical power", "", "kW", [0, 40], [0, 120], 0.1),
  ],
};
const CELL = {
  reference: "conveyor-cell@1",
  components: [["belt", "Belt"], ["station", "Station"]],
  signals: [
    text("belt.state", "Belt state", "belt", ["RUN", "WAIT", "JAM"]),
    number("belt.speed", "Belt speed", "belt", "m/s", [0, 0.8], [0, 2], 0.01),
    number("station.cycle", "Cycle time", "station", "s", [20, 32], [0, 600], 0.1),
    number("power", "Electrical power", "", "kW", [0, 6], [0, 20], 0.1),
    number("parts.total", "Parts made", "", "1", null, [0, 1e9], null),
  ],
};

const machine = (id, title, type, parent, place, state, extra = {}) => ({ id, title, type, kind: "machine", parent, place, state, ...extra });
export const plant = [
  { id: "demo-factory", title: "Demo factory", kind: "factory", parent: null, place: "Tampere" },
  { id: "machining", title: "Machining line", kind: "line", parent: "demo-factory", place: "Hall 1" },
  { id: "assembly", title: "Assembly line", kind: "line", parent: "demo-factory", place: "Hall 2" },
  machine("mill-1", "Mill 1", MILL, "machining", "Hall 1", "producing"),
  machine("mill-2", "Mill 2", MILL, "machining", "Hall 1", "failed", { alarms: 2 }),
  machine("mill-3", "Mill 3", MILL, "machining", "Hall 1", "setup"),
  machine("cell-1", "Conveyor cell", CELL, "assembly", "Hall 2", "blocked"),
  machine("crane-1", "Overhead crane", CRANE, "assembly", "Hall 2", "standby"),
];
const extra = Number(process.env.FIXTURE_MACHINES ?? 0);
for (let i = 0; i < extra; i += 1) {
  plant.push(machine(`fleet-${i + 1}`, `Fleet mill ${i + 1}`, MILL, "machining", `Hall ${(i % 7) + 1}`, STATES[Math.floor(noise(3, i) ** 2 * STATES.length)]));
}

export const faults = [
  { twin: "mill-2", fault: "spindle-bearing", title: "Spindle bearing worn", component: "spindle.bearing", active: true, since: iso(START - 840_000) },
  { twin: "mill-1", fault: "coolant-leak", title: "Coolant leak", component: "coolant", active: false, since: null },
  { twin: "crane-1", fault: "hoist-brake", title: "Hoist brake slipping", component: "hoist.brake", active: false, since: null },
  { twin: "cell-1", fault: "belt-jam", title: "Belt jammed", component: "belt", active: false, since: null },
];

export const find = (id) => plant.find((t) => t.id === id);
const since = (t) => iso(START - 60_000 * (3 + (hash(t.id) % 170)));

export function summary(t) {
  return {
    id: t.id, uid: `019a0b5e-7c00-7000-8000-${String(hash(t.id)).padStart(12, "0")}`, kind: t.kind, title: t.title,
    serial: t.type ? `SN-${1000 + (hash(t.id) % 9000)}` : "", type: t.type?.reference ?? null, parent: t.parent, owner: "acme",
    place: t.place, alarms: t.alarms ?? 0, freshness_s: t.type ? (t.state === "unknown" ? 4210 : 0.4) : null,
    state: t.state ? { state: t.state, since: since(t), word: { producing: "ACTIVE", failed: "STOPPED" }[t.state] ?? "", cause: t.state === "failed" ? "fault:spindle" : "", party: "", reason: "" } : null,
    level: t.type ? (hash(t.id) % 3 ? "twin" : "shadow") : "model",
  };
}

export function detail(t) {
  const type = t.type;
  const aggregates = type ? [] : [
    { name: "power", function: "sum", signal: "power", unit: "kW", max_age: 10e9, missing: "partial", title: "Electrical power" },
    { name: "parts.total", function: "sum", signal: "parts.total", unit: "1", max_age: null, missing: "partial", title: "Parts made" },
  ];
  const signals = type?.signals ?? aggregates.map((a) => number(a.name, a.title, "", a.unit, null, null, null));
  return {
    ...summary(t),
    level: { level: summary(t).level, since: iso(START - 86_400_000 * 3), why: "A program's command set-feed was acknowledged and its effect was seen in axes.feed.", signals: Object.fromEntries(signals.map((s) => [s.name, "shadow"])), commands: type ? { "set-feed": "twin" } : {} },
    components: (type?.components ?? []).map(([path, title]) => ({ path, title, documents: [], service_parts: [] })),
    signals,
    commands: type ? commands : [],
    children: plant.filter((c) => c.parent === t.id).map((c) => c.id),
    permitted: ["read", "command"], aggregates, dtid: `https://dt.example/${t.id}`, created: iso(START - 9e9), commissioned: iso(START - 8.9e9), calendar: "two-shift",
    registered_from: "", owners: [], types: [], production: null, requirements: [], documents: [], model_3d: "",
  };
}

const parameter = (name, type, unit, minimum, maximum, values = []) => ({ name, type, unit, minimum, maximum, values, required: true });
const commands = [
  { name: "set-feed", title: "Set feed override", risk: "setting", parameters: [parameter("percent", "number", "%", 10, 120)], timeout: 10e9, effect: { signal: "axes.feed", parameter: "percent" }, effect_within: 30e9 },
  { name: "select-program", title: "Select program", risk: "setting", parameters: [parameter("program", "text", "", null, null, ["O1001", "O1002"])], timeout: 10e9, effect: null, effect_within: 30e9 },
  { name: "home-axes", title: "Move axes home", risk: "motion", parameters: [], timeout: 10e9, effect: null, effect_within: 60e9 },
  { name: "release-guard", title: "Release guard door", risk: "safety", parameters: [], timeout: 10e9, effect: null, effect_within: 60e9 },
];

/** Value of a signal at a time: smooth, with a daily shape, out of its range on the broken machine. */
export function valueAt(t, signal, ms) {
  const seed = (hash(t.id + signal.name) % 997) / 100;
  const x = ms / 60_000;
  if (signal.type === "text") {
    if (signal.name.endsWith("program")) return `O100${1 + Math.floor(noise(seed, Math.floor(x / 90)) * 3)}`;
    return { failed: signal.values[2] ?? signal.values[0], producing: signal.values[0] }[t.state] ?? signal.values[1] ?? "";
  }
  if (signal.name.startsWith("parts")) return Math.floor((ms - START + 8 * 3_600_000) / 42_000) * (t.type ? 1 : 3);
  const [low, high] = signal.range ?? [0, 30];
  const wave = 0.5 + 0.22 * Math.sin(x / 7 + seed) + 0.12 * Math.sin(x * 1.3 + seed * 3) + 0.06 * (noise(seed, Math.floor(ms / 1000)) - 0.5);
  const broken = t.state === "failed" && /vibration|temperature/.test(signal.name) ? 0.62 : 0;
  return low + (high - low) * (wave + broken);
}

export function stateNow(t, at) {
  const d = detail(t);
  const values = {};
  for (const s of d.signals) {
    const stale = s.name === "coolant.level" && t.id === "mill-3";
    const time = stale ? at - 95_000 : at - (hash(s.name) % 900);
    values[s.name] = { value: s.name === "coolant.level" && t.id === "mill-1" ? null : valueAt(t, s, time), unit: s.unit, time: iso(time), received: iso(time), quality: stale ? 1 : 0, age_s: (at - time) / 1000, range: s.range, stale };
  }
  const alarms = t.state === "failed" ? [
    { signal: "spindle.condition", code: "433", text: "Spindle bearing vibration above limit", severity: "fault", from: iso(START - 840_000), to: null },
    { signal: "coolant.pressure", code: "C12", text: "Coolant pressure falling", severity: "warning", from: iso(START - 300_000), to: null },
  ] : [];
  const kids = plant.filter((c) => c.parent === t.id).length;
  return { twin: t.id, as_of: iso(at), values, state: d.state, alarms, coverage: t.type ? {} : { power: { fresh: kids, of: kids }, "parts.total": { fresh: Math.max(0, kids - 1), of: kids } }, cut: { 0: 48211, 1: 120 }, provenance: `/api/v1/provenance?kind=state&twin=${t.id}` };
}

export function intervals(t, from, to) {
  const out = [];
  const seed = (hash(t.id) % 97) / 10;
  let at = from - (from % 900_000);
  let i = Math.floor(at / 900_000);
  while (at < to) {
    const r = noise(seed, i);
    const length = 900_000 * (1 + Math.floor(noise(seed + 1, i) * 3));
    const gap = at < START - 9 * 86_400_000;
    const state = gap ? "unknown" : r < 0.56 ? "producing" : STATES[1 + Math.floor((r - 0.56) * 18)] ?? "standby";
    out.push({ from: iso(Math.max(from, at)), to: iso(Math.min(to, at + length)), state, cause: state === "failed" ? "fault:spindle" : "", party: state === "failed" ? "acme-machines" : "", word: { producing: "ACTIVE", failed: "STOPPED", standby: "READY" }[state] ?? "", reason: gap ? "no-data" : "" });
    at += length;
    i += length / 900_000;
  }
  return out.filter((x) => x.from < x.to);
}
