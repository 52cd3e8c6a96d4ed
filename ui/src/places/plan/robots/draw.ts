import type { Robot, RobotZone } from "../../../api/types";
import type { Pose } from "../../../data/robots";
import { type Known, toX, toY, type View } from "./geometry";

/** Colours as the page has them now: theme and appearance may change. */
export interface Ink {
  surface: string;
  sunken: string;
  line: string;
  ink: string;
  soft: string;
  accent: string;
  alarm: string;
  warn: string;
  font: string;
}

export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    surface: value("--surface"),
    sunken: value("--robot-floor"),
    line: value("--line-strong"),
    ink: value("--ink"),
    soft: value("--ink-soft"),
    accent: value("--focus"),
    alarm: value("--alarm"),
    warn: value("--s-repair"),
    font: style.fontFamily,
  };
}

/** Whether a condition needs somebody: drawn and written in the colour of its weight. */
export const weightOf = (condition: string): "alarm" | "warn" | "" =>
  condition === "failed" || condition === "untrusted" ? "alarm" : condition === "ready" || condition === "hibernating" || condition === "cancelling" ? "" : "warn";

/** Sign of a condition, beside its colour. */
export const signOf = (condition: string): string => ({ failed: "×", untrusted: "!", lost: "?", unseen: "?", manual: "M", person: "II", paused: "II", hibernating: "z" })[condition] ?? "";

interface Scene {
  robots: readonly Robot[];
  zones: readonly RobotZone[];
  chosen: ReadonlySet<string>;
  cursor: string;
  robot: string;
  focused: boolean;
}

/** Everything that moves seldom: floor, stations, zones. */
export function drawFloor(g: CanvasRenderingContext2D, known: Known, view: View, ink: Ink, scene: Scene): void {
  const { map, at } = known;
  const size = view.cell * view.scale;
  g.clearRect(0, 0, g.canvas.width, g.canvas.height);
  const grid = map.places.length > 0;
  g.lineWidth = Math.max(1, size * 0.5);
  if (grid) {
    g.fillStyle = ink.sunken;
    for (const { x, y } of at.values()) g.fillRect(toX(view, x) - size / 2 + 0.5, toY(view, y) - size / 2 + 0.5, size - 1, size - 1);
  }
  const kinds = new Map(scene.zones.flatMap((zone) => zone.places.map((p) => [map.stations[p] ?? p, zone.kind] as const)));
  for (const [place, kind] of kinds) {
    const p = at.get(place);
    if (p) hatch(g, toX(view, p.x) - size / 2, toY(view, p.y) - size / 2, size, kind === "person" ? ink.warn : ink.soft, kind === "person");
  }
  const letters = Math.max(9, Math.min(13, size * 0.3));
  g.textAlign = "center";
  g.textBaseline = "middle";
  const mark = (place: string, text: string, strong: boolean): void => {
    const p = at.get(place);
    if (!p) return;
    g.strokeStyle = ink.line;
    g.lineWidth = 1;
    g.strokeRect(toX(view, p.x) - size / 2 + 2.5, toY(view, p.y) - size / 2 + 2.5, size - 5, size - 5);
    g.fillStyle = strong ? ink.ink : ink.soft;
    g.font = `${strong ? 600 : 400} ${letters}px ${ink.font}`;
    g.fillText(text, toX(view, p.x), toY(view, p.y) + (strong ? -size * 0.32 : 0));
  };
  for (const place of map.parking) mark(place, "P", false);
  for (const place of map.chargers) mark(place, "ϟ", false);
  if (size > 16) for (const [name, place] of Object.entries(map.stations)) mark(place, name, true);
  for (const place of scene.chosen) frame(g, known, view, place, ink.accent, 2);
  if (scene.focused) frame(g, known, view, scene.cursor, ink.ink, 3);
}

function frame(g: CanvasRenderingContext2D, known: Known, view: View, place: string, colour: string, width: number): void {
  const p = known.at.get(place);
  if (!p) return;
  const size = view.cell * view.scale;
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.strokeRect(toX(view, p.x) - size / 2 + 1, toY(view, p.y) - size / 2 + 1, size - 2, size - 2);
}

function hatch(g: CanvasRenderingContext2D, x: number, y: number, size: number, colour: string, crossed: boolean): void {
  g.save();
  g.beginPath();
  g.rect(x, y, size, size);
  g.clip();
  g.strokeStyle = colour;
  g.lineWidth = 2;
  g.beginPath();
  for (let d = -size; d < size; d += 6) {
    g.moveTo(x + d, y + size);
    g.lineTo(x + d + size, y);
    if (crossed) {
      g.moveTo(x + d, y);
      g.lineTo(x + d + size, y + size);
    }
  }
  g.stroke();
  g.restore();
}

/** What moves: ways given and planned, robots with heading, load and condition. */
export function drawRobots(g: CanvasRenderingContext2D, known: Known, view: View, ink: Ink, scene: Scene, poses: ReadonlyMap<string, Pose>): void {
  const size = view.cell * view.scale;
  g.clearRect(0, 0, g.canvas.width, g.canvas.height);
  for (const robot of scene.robots) {
    const last = robot.held.at(-1);
    way(g, known, view, robot.held, robot.robot === scene.robot ? ink.accent : ink.soft, Math.max(3, size * 0.16), []);
    way(g, known, view, last === undefined ? robot.plan : [last, ...robot.plan], robot.robot === scene.robot ? ink.accent : ink.soft, 1.5, [3, 4]);
  }
  for (const robot of scene.robots) {
    const pose = poses.get(robot.robot);
    if (pose) body(g, view, ink, robot, pose, robot.robot === scene.robot, Math.max(6, size * 0.34));
  }
}

function way(g: CanvasRenderingContext2D, known: Known, view: View, places: readonly string[], colour: string, width: number, dash: number[]): void {
  const points = places.flatMap((p) => known.at.get(p) ?? []);
  if (points.length < 2) return;
  g.strokeStyle = colour;
  g.globalAlpha = dash.length ? 0.9 : 0.55;
  g.lineWidth = width;
  g.lineJoin = g.lineCap = "round";
  g.setLineDash(dash);
  g.beginPath();
  points.forEach((p, i) => (i === 0 ? g.moveTo(toX(view, p.x), toY(view, p.y)) : g.lineTo(toX(view, p.x), toY(view, p.y))));
  g.stroke();
  g.setLineDash([]);
  g.globalAlpha = 1;
}

function body(g: CanvasRenderingContext2D, view: View, ink: Ink, robot: Robot, pose: Pose, chosen: boolean, radius: number): void {
  const x = toX(view, pose.x);
  const y = toY(view, pose.y);
  const weight = weightOf(robot.condition);
  const colour = weight === "alarm" ? ink.alarm : weight === "warn" ? ink.warn : ink.soft;
  g.save();
  g.translate(x, y);
  g.rotate(-pose.theta);
  g.fillStyle = weight ? colour : ink.surface;
  g.strokeStyle = chosen ? ink.accent : weight ? colour : ink.ink;
  g.lineWidth = chosen ? 3 : 1.8;
  g.beginPath();
  if (weight === "alarm") g.rect(-radius, -radius, radius * 2, radius * 2);
  else {
    // A nose shows where it is heading.
    g.arc(0, 0, radius, 0.55, Math.PI * 2 - 0.55);
    g.lineTo(radius * 1.45, 0);
  }
  g.closePath();
  if (robot.condition === "lost" || robot.condition === "unseen") {
    g.setLineDash([3, 3]);
    g.fillStyle = ink.surface;
  }
  g.fill();
  g.stroke();
  g.restore();
  const sign = signOf(robot.condition);
  g.fillStyle = weight && robot.condition !== "lost" && robot.condition !== "unseen" ? ink.surface : ink.ink;
  g.font = `600 ${Math.max(9, radius * 0.95)}px ${ink.font}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(sign || (/\d+$/.exec(robot.robot)?.[0] ?? robot.robot.slice(0, 2)), x, y + 0.5);
  if (robot.loads) {
    g.fillStyle = ink.ink;
    g.fillRect(x + radius * 0.55, y - radius * 1.25, radius * 0.7, radius * 0.7);
  }
}
