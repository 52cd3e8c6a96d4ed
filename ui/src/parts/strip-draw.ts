import type { Window } from "../time/window";
import type { Tick } from "./axis";
import type { Pattern } from "./states";

/** One stretch of a time line. `fill` and `ink` are names of colour tokens. */
export interface StripItem {
  from: number;
  to: number;
  label: string;
  detail: string;
  fill: string;
  pattern: Pattern;
}

interface Drawing {
  items: readonly StripItem[];
  window: Window;
  left: number;
  plot: number;
  width: number;
  height: number;
  ticks: Tick[];
  selected: number | null;
}

const tiles = new Map<string, CanvasPattern | null>();

/** Draw the stretches; words where they fit, patterns so that no state is told by colour alone. */
export function drawStrip(canvas: HTMLCanvasElement, d: Drawing): void {
  const ratio = globalThis.devicePixelRatio || 1;
  const tall = d.height + (d.ticks.length ? 20 : 0);
  canvas.width = Math.round(d.width * ratio);
  canvas.height = Math.round(tall * ratio);
  const c = canvas.getContext("2d");
  if (!c) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (token: string): string => style.getPropertyValue(token).trim();
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, d.width, tall);
  const scale = d.plot / (d.window.to - d.window.from);
  const x = (at: number): number => d.left + (at - d.window.from) * scale;
  c.save();
  c.beginPath();
  c.rect(d.left, 0, d.plot, tall);
  c.clip();
  c.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
  c.textBaseline = "middle";
  d.items.forEach((item, index) => {
    const from = Math.max(d.left, x(item.from));
    const to = Math.min(d.left + d.plot, x(item.to));
    if (to <= d.left || from >= d.left + d.plot) return;
    const wide = Math.max(0.6, to - from);
    c.fillStyle = colour(item.fill) || "#888";
    c.fillRect(from, 0, wide, d.height);
    const tile = wide > 3 ? patternOf(c, item.pattern, colour("--pattern")) : null;
    if (tile) {
      c.fillStyle = tile;
      c.fillRect(from, 0, wide, d.height);
    }
    if (wide > 3) {
      c.fillStyle = colour("--surface");
      c.fillRect(from, 0, 1, d.height);
    }
    if (index === d.selected) {
      c.strokeStyle = colour("--focus");
      c.lineWidth = 3;
      c.strokeRect(from + 1.5, 1.5, Math.max(1, wide - 3), d.height - 3);
    }
    label(c, item, from, wide, d.height, colour);
  });
  c.restore();
  c.fillStyle = colour("--ink-soft");
  c.font = `400 11px ${getComputedStyle(document.body).fontFamily}`;
  c.textAlign = "center";
  for (const tick of d.ticks) {
    const at = x(tick.at);
    c.fillRect(at, d.height, 1, 4);
    const half = c.measureText(tick.label).width / 2;
    if (at - half >= 0 && at + half <= d.width) c.fillText(tick.label, at, d.height + 13);
  }
}

function label(c: CanvasRenderingContext2D, item: StripItem, from: number, wide: number, height: number, colour: (token: string) => string): void {
  if (wide < 34 || height < 22) return;
  const text = c.measureText(item.label).width;
  if (text + 16 > wide) return;
  if (item.pattern !== "plain") {
    c.fillStyle = colour(item.fill);
    c.fillRect(from + 5, height / 2 - 9, text + 8, 18);
  }
  c.textAlign = "start";
  c.fillStyle = colour(`${item.fill}-ink`) || colour("--s-ink");
  c.fillText(item.label, from + 9, height / 2 + 0.5);
}

function patternOf(c: CanvasRenderingContext2D, pattern: Pattern, ink: string): CanvasPattern | null {
  if (pattern === "plain") return null;
  const key = `${pattern} ${ink}`;
  const known = tiles.get(key);
  if (known !== undefined) return known;
  const tile = document.createElement("canvas");
  tile.width = 8;
  tile.height = 8;
  const t = tile.getContext("2d");
  if (!t) return null;
  t.strokeStyle = ink;
  t.fillStyle = ink;
  t.lineWidth = 1;
  t.beginPath();
  if (pattern === "diagonal" || pattern === "hatch" || pattern === "cross") lines(t, [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]]);
  if (pattern === "back" || pattern === "cross") lines(t, [[-2, -2, 10, 10], [6, -2, 10, 2], [-2, 6, 2, 10]]);
  if (pattern === "vertical") lines(t, [[4.5, 0, 4.5, 8]]);
  if (pattern === "horizontal") lines(t, [[0, 4.5, 8, 4.5]]);
  t.stroke();
  if (pattern === "dots") t.fillRect(3, 3, 2, 2);
  const made = c.createPattern(tile, "repeat");
  tiles.set(key, made);
  return made;
}

function lines(t: CanvasRenderingContext2D, all: [number, number, number, number][]): void {
  for (const [a, b, x, y] of all) {
    t.moveTo(a, b);
    t.lineTo(x, y);
  }
}
