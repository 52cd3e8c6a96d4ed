// Answers of the made-up plant, one function a path.
import { detail, faults, find, hash, intervals, iso, plant, stateNow, summary, valueAt } from "./plant.mjs";

const people = { lead: ["production_manager", "administrator"], operator: ["operator"] };
let account = null;
const commands = [];
const prov = (kind, id) => `/api/v1/provenance?kind=${kind}&twin=${id}`;
const cut = { 0: 48211, 1: 120 };
const fault = (code, message, hint = "") => ({ code, message, hint, where: "", faults: [] });
const time = (text, otherwise) => (text ? (/^\d+$/.test(text) ? Number(text) / 1e6 : Date.parse(text)) : otherwise);
const page = (items) => [200, { items, next: null }];

export function answer(request, url, body) {
  const path = url.pathname.replace("/api/v1", "");
  const q = url.searchParams;
  if (path === "/session") return session(request.method, body);
  if (!account) return [401, fault("session:none", "Nobody is signed in.", "Sign in.")];
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (parts[0] === "twins") return twins(request.method, parts, q, body);
  if (path === "/observations/query") return [200, query(body)];
  if (parts[0] === "quarantine") return quarantine(request.method, parts, q, body);
  if (path === "/states/daily") return [200, daily(q)];
  const simple = { "/health": health, "/provenance": () => provenance(q), "/simulator": () => ({ faults }), "/tokens": tokens, "/accounts": accounts, "/machine-credentials": credentials, "/audit": audit, "/connections": connections, "/parties": () => ({ items: [{ id: "acme", name: "Acme Works", kind: "customer" }], next: null }) }[path];
  if (simple && request.method === "GET") return [200, simple()];
  if (path === "/simulator/faults") {
    const f = faults.find((x) => x.twin === body.twin && x.fault === body.fault);
    Object.assign(f, { active: body.active, since: body.active ? iso(Date.now()) : null });
    const t = find(body.twin);
    t.state = body.active ? "failed" : "producing";
    t.alarms = body.active ? 2 : 0;
    return [200, { faults }];
  }
  if (path === "/tokens") return [201, { id: "t-9", label: body.label, party: "acme", roles: body.roles, created: iso(Date.now()), expires: null, revoked: null, token: "st_3f7c9b0e5d1a4c62" }];
  if (path === "/machine-credentials") return [201, { user: body.user, twins: body.twins, password: "m7Qw-2kLp-9xVd" }];
  if (parts[0] === "commands") return [200, age(commands.find((c) => c.id === parts[1]))];
  return [404, fault("http:not-found", "There is no such address.")];
}

function session(method, body) {
  if (method === "POST") {
    const roles = people[body.account];
    if (!roles || body.password !== "twin") return [401, fault("session:refused", "Account or password is wrong.", "Check both; capitals count.")];
    account = { id: body.account, name: body.account === "lead" ? "Anna Laine" : "Olli Virta", party: "acme", roles, locale: "en" };
  } else if (method === "DELETE") {
    account = null;
    return [200, { done: true }];
  }
  return account ? [200, { account, csrf: "c", anonymous: false, time_zone: "Europe/Helsinki" }] : [401, fault("session:none", "Nobody is signed in.")];
}

function twins(method, parts, q, body) {
  if (parts.length === 1) return page(plant.map(summary));
  const t = find(parts[1]);
  if (!t) return [404, fault("twin:unknown", `There is no twin '${parts[1]}'.`)];
  const now = Date.now();
  const to = time(q.get("to"), now);
  const from = time(q.get("from"), to - 86_400_000);
  const range = { twin: t.id, from: iso(from), to: iso(to), cut };
  const what = parts[2];
  if (!what) return [200, detail(t)];
  if (what === "state") return [200, stateNow(t, time(q.get("as_of"), now))];
  if (what === "states") return [200, { ...range, intervals: intervals(t, from, Math.min(to, now)), totals: totals(t, from, Math.min(to, now)), next: null, provenance: prov("states", t.id) }];
  if (what === "availability") return [200, { ...range, ...availability(q.get("formula"), totals(t, from, to)), provenance: prov("availability", t.id) }];
  if (what === "oee") return [200, { ...range, ...oee(t, q.get("by")), provenance: prov("oee", t.id) }];
  if (what === "alarms") return [200, { ...range, items: stateNow(t, now).alarms, next: null, provenance: prov("alarms", t.id) }];
  if (what === "level") return [200, { twin: t.id, items: levels(t) }];
  if (what === "commands" && method === "POST") return send(t, parts[3], body);
  if (what === "commands") return page(commands.filter((c) => c.twin === t.id).map(age).reverse());
  if (what === "signals") return [200, { ...range, ...series(t, parts[3], from, to, q.get("every"), (q.get("aggregate") ?? "mean").split(",")), provenance: prov("observations", t.id) }];
  return [404, fault("http:not-found", "There is no such address.")];
}

function everyMs(text) {
  const m = /^([\d.]+)(ns|us|ms|s|m|h|d)$/.exec(text);
  return Number(m[1]) * { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[m[2]];
}

function series(t, name, from, to, every, aggregates) {
  const signal = detail(t).signals.find((s) => s.name === name);
  const known = (ms) => ms <= Date.now() && ms > Date.now() - 9 * 86_400_000 && Math.floor(ms / 1_500_000) % 31 !== 7;
  if (!every) {
    const items = [];
    for (let at = Math.ceil(from / 1000) * 1000; at < to && items.length < 5000; at += 1000) if (known(at)) items.push({ time: iso(at), value: valueAt(t, signal, at), quality: 0 });
    return { signal: name, unit: signal.unit, items, next: null };
  }
  const step = everyMs(every);
  const buckets = [];
  for (let at = from; at < to; at += step) {
    const v = known(at) ? valueAt(t, signal, at) : null;
    const wide = v === null ? 0 : Math.abs(v) * Math.min(0.25, 0.02 + step / 3e7);
    const all = { mean: v, min: v === null ? null : v - wide, max: v === null ? null : v + wide, first: v, last: v, tw_mean: v };
    buckets.push({ from: iso(at), to: iso(at + step), count: v === null ? 0 : Math.ceil(step / 1000), ...Object.fromEntries(aggregates.map((a) => [a, all[a] ?? null])) });
  }
  return { signal: name, unit: signal.unit, buckets, next: null };
}

function query(body) {
  const from = time(body.from);
  const to = time(body.to);
  const out = [];
  for (const id of body.twins) {
    const t = find(id);
    for (const name of body.signals) if (t && detail(t).signals.some((s) => s.name === name)) out.push({ twin: id, ...series(t, name, from, to, body.every, body.aggregates ?? ["mean"]) });
  }
  return { from: iso(from), to: iso(to), series: out, cut, provenance: prov("observations", body.twins[0]) };
}

function totals(t, from, to) {
  const sum = {};
  for (const i of intervals(t, from, to)) sum[i.state] = (sum[i.state] ?? 0) + (Date.parse(i.to) - Date.parse(i.from)) / 1000;
  return sum;
}

function availability(formula, s) {
  const up = (s.producing ?? 0) + (s.standby ?? 0) + (s.external ?? 0);
  const down = (s.failed ?? 0) + (s.repair ?? 0);
  const extra = { "iso22400@1": s.setup ?? 0, "en15341-pha8@1": s.preventive ?? 600, "vdi3423@1": 0 }[formula] ?? 0;
  const whole = up + down + extra;
  if (formula === "vdi3423@1") return { formula, value: null, numerator_s: 0, denominator_s: 0, unknown_s: s.unknown ?? 0, terms: {}, reason: "No stop has a cause, so organisational and technical down time cannot be told apart." };
  return { formula, value: up / whole, numerator_s: up, denominator_s: whole, unknown_s: s.unknown ?? 0, terms: { operating: up, down, extra }, reason: "" };
}

function oee(t, by) {
  const a = 0.7 + (hash(t.id) % 12) / 100;
  const p = 0.82;
  const quality = 0.972;
  const busy = 28_800;
  const losses = [["setup", 0.07, "setup"], ["starved", 0.3 - 0.16 - (hash(t.id) % 12) / 100, "starved"], ["failed", 0.09, "failed"], ["performance", a * (1 - p), null], ["quality", a * p * (1 - quality), null]]
    .map(([name, share, state]) => ({ name, kind: "availability", share, seconds: share * busy, state }));
  losses.unshift({ name: "planned_stop", kind: "schedule", share: null, seconds: 2700, state: "planned_stop" });
  const made = (a * p * busy) / 42;
  const one = {
    oee: a * p * quality, availability: a, performance: p, quality, nee: null, teep: null, called: t.id === "crane-1" ? "utilisation" : "OEE", losses,
    assumed: ["Ideal cycle 42 s for product O1003: taken from the machine type."], flags: [], reason: "",
    terms: { calendar_s: 32_000, in_state_s: { producing: a * busy, setup: 0.07 * busy, failed: 0.09 * busy, starved: (0.84 - a) * busy, planned_stop: 2700 }, made: { O1003: Math.round(made) }, good: { O1003: Math.round(made * quality) }, ideal_s: Math.round(made) * 42 },
  };
  const groups = !by ? null : by === "cause" ? [{ key: "fault:spindle", party: "acme-machines", state: "failed", seconds: 2592, share: 0.09 }, { key: "", party: "", state: "starved", seconds: 1500, share: 0.052 }] : ["A", "B", "C"].map((name, i) => ({ key: by === "shift" ? ["Morning", "Evening", "Night"][i] : `O100${i}`, ...one, oee: one.oee * (1 - i * 0.07) }));
  return { ...one, groups, children: {} };
}

function levels(t) {
  const at = (d) => iso(Date.now() - d * 86_400_000);
  return [
    { subject: "", level: summary(t).level, since: at(3), evidence: { command: "set-feed", issued_by: "program:optimiser", acknowledged: at(3), effect_signal: "axes.feed", effect_seen: at(3) } },
    { subject: "", level: "shadow", since: at(40), evidence: { reason: "first observation", signal: "spindle.temperature" } },
    { subject: "", level: "model", since: at(90), evidence: { reason: "registered" } },
  ];
}

function send(t, name, body) {
  if (name === "home-axes") return [409, fault("command:no-consent", "Motion needs consent at the machine, and nobody there has given it.", "Ask the operator to turn the consent key, then send it again.")];
  const now = Date.now();
  const c = { id: `c-${commands.length + 1}`, twin: t.id, name, parameters: body.parameters ?? {}, issuer: "person", issued_by: account.id, issued: iso(now), status: "sent", reason: "", reason_text: "", sent: iso(now), answered: null, effect_seen: null, effect_signal: "axes.feed", expires: iso(now + 10_000) };
  commands.push(c);
  return [202, c];
}

function age(c) {
  const passed = Date.now() - Date.parse(c.issued);
  if (passed > 1500) Object.assign(c, { status: "acknowledged", answered: iso(Date.parse(c.issued) + 400) });
  if (passed > 4000) Object.assign(c, { status: "effective", effect_seen: iso(Date.parse(c.issued) + 3600) });
  return c;
}

const badCodes = { "value:wrong-type": 14, "signal:unknown": 6, "payload:not-json": 2 };
function quarantine(method, parts, q, body) {
  if (parts[1] === "replay") return [200, { replayed: body.ids?.length ?? 14, repeated: 0, failed: [] }];
  const items = Object.entries(badCodes).flatMap(([code, n]) => Array.from({ length: n }, (_, i) => entry(code, i)));
  if (parts[1]) {
    const e = items.find((x) => x.id === parts[1]);
    return e ? [200, { ...e, payload_text: '{"time": "2026-09-21T08:15:00Z", "values": {"spindle.temperature": "warm"}}', payload_base64: null }] : [404, fault("quarantine:unknown", "There is no such entry.")];
  }
  return [200, { items: items.filter((x) => (!q.get("code") || x.code === q.get("code")) && (!q.get("twin") || x.twin === q.get("twin"))), next: null, counts: badCodes }];
}
const entry = (code, i) => ({ id: `0-${hash(code) % 9000}-${i}`, received: iso(Date.now() - i * 61_000), source: "servitwin/mill-1/observations", twin: "mill-1", code, message: code === "value:wrong-type" ? "'warm' is no number" : "The payload could not be understood", where: "$.values['spindle.temperature']", size: 74 });

function daily(q) {
  const days = Array.from({ length: 7 }, (_, i) => iso(Date.now() - (6 - i) * 86_400_000).slice(0, 10));
  const ids = q.get("twins") ? q.get("twins").split(",") : plant.filter((t) => t.type).map((t) => t.id);
  return { days, twins: Object.fromEntries(ids.map((id) => [id, days.map((d) => totals(find(id), Date.parse(d), Math.min(Date.now(), Date.parse(d) + 86_400_000)))])), cut, provenance: prov("states", ids[0]) };
}

const health = () => ({
  ok: true, version: "0.1.0", now: iso(Date.now()),
  processes: ["supervisor", "nats-server", "ingest-0", "ingest-1", "web", "services"].map((name, i) => ({ name, pid: 4200 + i, state: "running", restarts: i === 3 ? 1 : 0, memory_mb: 38 + i * 9.5, since: iso(Date.now() - 7_200_000) })),
  ingest: { messages: 182_334, values: 1_458_672, quarantined: 22, repeated: 3, qos0: 0, refused: 0, lag: 0, rows_per_second: 412.5 },
  streams: [{ name: "$MQTT_msgs", messages: 1203, bytes: 482_000, max_bytes: 1_000_000_000 }, { name: "SERVITWIN", messages: 88, bytes: 41_000, max_bytes: 1_000_000_000 }],
  disk: { path: "data", total: 250e9, free: 78e9, used_by_servitwin: 277e6 }, plugins: [{ name: "simulator", state: "running", memory_mb: 44 }],
  browsers: 1, quarantine: badCodes, missing: [],
});
const provenance = (q) => ({ title: q.get("kind"), rule: q.get("kind") === "oee" ? "iso22400-oee" : "last-value", version: "1", source: "ISO 22400-2:2014 (secondary)", inputs: [{ kind: "signal", name: q.get("signal") ?? "control.execution", detail: "9 481 observations" }, { kind: "calendar", name: "two-shift", detail: "Europe/Helsinki" }], interval: [iso(Date.now() - 3_600_000), iso(Date.now())], cut, observations_url: "/api/v1/twins/mill-1/signals/spindle.temperature/observations", explanation: "The last observation of the signal holds until the next one, or until its max_gap has passed." });
const tokens = () => ({ items: [{ id: "t-1", label: "MES import", party: "acme", roles: ["viewer"], created: iso(Date.now() - 9e8), expires: null, revoked: null }], next: null });
const accounts = () => ({ items: Object.entries(people).map(([id, roles]) => ({ id, name: id, party: "acme", roles, locale: "en", disabled: false })), next: null });
const credentials = () => ({ items: [{ user: "mill-1", twins: ["mill-1"] }], next: null });
const audit = () => ({ items: [{ id: "a-2", at: iso(Date.now() - 60_000), actor: "lead", kind: "person", party: "acme", action: "command.send", subject: "mill-1", detail: { name: "set-feed" } }, { id: "a-1", at: iso(Date.now() - 90_000), actor: "lead", kind: "person", party: "acme", action: "session.start", subject: "lead", detail: {} }], next: null });
const connections = () => ({ items: [{ id: "simulator", plugin: "simulator", title: "Demo plant", condition: "connected", since: iso(Date.now() - 7_200_000), message: "", twins: ["mill-1", "mill-2", "mill-3", "cell-1", "crane-1"] }], next: null });

/** Server-sent events: every second the values of the twins asked for. */
export function live(url, request, response) {
  if (!account) {
    response.writeHead(401, { "Content-Type": "application/json" });
    return response.end(JSON.stringify(fault("session:none", "Nobody is signed in.")));
  }
  const wanted = url.searchParams.get("twins")?.split(",");
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  let id = Number(request.headers["last-event-id"] ?? 0);
  const tick = () => {
    const now = Date.now();
    id += 1;
    for (const t of plant.filter((x) => x.type && (!wanted || wanted.includes(x.id))).slice(0, 20)) {
      const values = Object.fromEntries(t.type.signals.filter((s) => s.type === "number").map((s) => [s.name, [now * 1e6, valueAt(t, s, now), 0, now * 1e6]]));
      response.write(`event: live\nid: ${id}\ndata: ${JSON.stringify({ twin: t.id, uid: summary(t).uid, values, cut })}\n\n`);
    }
    response.write(`: alive\n\n`);
  };
  const timer = setInterval(tick, 1000);
  tick();
  request.on("close", () => clearInterval(timer));
  return undefined;
}
