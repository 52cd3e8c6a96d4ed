import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from "react";
import type { FleetMap, RobotFleet } from "../../../api/types";
import { type Pose, useLivePoses } from "../../../data/robots";
import { useWidth } from "../../../parts/useWidth";
import { useAppearance } from "../../../shell/appearance";
import { t } from "../../../texts/en";
import { drawFloor, drawRobots, inkOf } from "./draw";
import { heightFor, knownMap, neighbour, placeAt, toX, toY, viewOf } from "./geometry";

const r = t.robots.map;
const ARROWS: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

interface MapProps {
  map: FleetMap;
  fleet: RobotFleet;
  chosen: ReadonlySet<string>;
  robot: string;
  choose: (places: Set<string>, robot: string) => void;
}

/** The hall from above: floor on one canvas, what moves on another. */
export function RobotMap({ map, fleet, chosen, robot, choose }: MapProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const known = useMemo(() => knownMap(map), [map]);
  const height = heightFor(known, width);
  const view = useMemo(() => viewOf(known, width, height), [known, width, height]);
  const floor = useRef<HTMLCanvasElement>(null);
  const moving = useRef<HTMLCanvasElement>(null);
  const [cursor, setCursor] = useState(map.places[0]?.id ?? "");
  const [focused, setFocused] = useState(false);
  const appearance = useAppearance();
  const live = useLivePoses(useMemo(() => fleet.robots.map((one) => one.robot), [fleet.robots]));
  const shown = useRef(new Map<string, Pose>());
  const scene = useMemo(() => ({ robots: fleet.robots, zones: fleet.zones, chosen, cursor, robot, focused }), [fleet, chosen, cursor, robot, focused]);

  useEffect(() => {
    const g = prepared(floor.current, width, height);
    if (g && floor.current) drawFloor(g, known, view, inkOf(floor.current), scene);
  }, [known, view, width, height, scene, appearance]);

  useEffect(() => {
    const g = prepared(moving.current, width, height);
    if (!g || !moving.current) return undefined;
    const ink = inkOf(moving.current);
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    let frame = 0;
    let before = 0;
    const draw = (time: number): void => {
      // Twenty pictures a second are enough for what drives one metre in it.
      if (time - before > 45) {
        before = time;
        follow(shown.current, scene.robots, live.current, still ? 1 : 0.25);
        drawRobots(g, known, view, ink, scene, shown.current);
      }
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [known, view, width, height, scene, live, appearance]);

  const take = (place: string, several: boolean): void => {
    setCursor(place);
    const next = several ? new Set(chosen) : new Set<string>();
    if (chosen.has(place) && (several || chosen.size === 1)) next.delete(place);
    else next.add(place);
    choose(next, fleet.robots.find((one) => one.held[0] === place)?.robot ?? "");
  };
  const onClick = (event: MouseEvent<HTMLDivElement>): void => {
    const bounds = event.currentTarget.getBoundingClientRect();
    const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const hit = fleet.robots.find((one) => {
      const pose = shown.current.get(one.robot);
      return pose && Math.hypot(toX(view, pose.x) - px, toY(view, pose.y) - py) < view.cell * view.scale * 0.4;
    });
    if (hit && !event.shiftKey) return choose(new Set(hit.held.slice(0, 1)), hit.robot);
    const place = placeAt(known, view, px, py);
    if (place !== null) take(place, event.shiftKey);
  };
  const onKey = (event: KeyboardEvent): void => {
    const arrow = ARROWS[event.key];
    if (arrow) {
      event.preventDefault();
      setCursor(neighbour(known, cursor, arrow[0], arrow[1]));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      take(cursor, event.shiftKey);
    }
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={box}
      className="robot-map"
      style={{ height }}
      role="application"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={r.label([...chosen].join(", ") || r.nothing)}
      onClick={onClick}
      onKeyDown={onKey}
      onFocus={(event) => setFocused(event.currentTarget.matches(":focus-visible"))}
      onBlur={() => setFocused(false)}
    >
      <canvas ref={floor} aria-hidden="true" />
      <canvas ref={moving} aria-hidden="true" />
      <p className="hidden" role="status">
        {focused ? cursor : ""}
      </p>
    </div>
  );
}

/** The canvas in the size and fineness of the screen. */
function prepared(canvas: HTMLCanvasElement | null, width: number, height: number): CanvasRenderingContext2D | null {
  if (!canvas || width === 0) return null;
  const fine = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * fine);
  canvas.height = Math.round(height * fine);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const g = canvas.getContext("2d");
  g?.scale(fine, fine);
  return g;
}

/** Bring what is drawn nearer to where the robots are. */
function follow(shown: Map<string, Pose>, robots: MapProps["fleet"]["robots"], live: ReadonlyMap<string, Partial<Pose>>, share: number): void {
  for (const one of robots) {
    if (one.x === null || one.y === null) continue;
    const target = { x: one.x, y: one.y, theta: one.theta ?? 0, ...live.get(one.robot) };
    const now = shown.get(one.robot);
    if (!now || Math.hypot(target.x - now.x, target.y - now.y) > 6) {
      shown.set(one.robot, target);
      continue;
    }
    const turn = Math.atan2(Math.sin(target.theta - now.theta), Math.cos(target.theta - now.theta));
    shown.set(one.robot, { x: now.x + (target.x - now.x) * share, y: now.y + (target.y - now.y) * share, theta: now.theta + turn * share });
  }
}
