import type { ControllerState, ControllerTransition } from "../../api/types";

/** Where the parts of one region are drawn: states as boxes below each other, a line in its box for every way out. */
export interface StateBox {
  state: ControllerState;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Way {
  transition: ControllerTransition;
  text: string;
  x: number;
  y: number;
  /** Where the line leaves and enters boxes, and in which lane it runs; null: nothing is left. */
  arc: { from: [number, number]; to: [number, number]; lane: number } | null;
}

export interface RegionLayout {
  boxes: StateBox[];
  ways: Way[];
  width: number;
  height: number;
}

export const HEAD = 26;
export const ROW = 20;
const GAP = 14;
const INSET = 10;
const LANE = 11;
const LETTER = 6.7;
const WIDEST = 300;
const NARROWEST = 150;

const children = (states: readonly ControllerState[]): ControllerState[] => states.flatMap((one) => [one, ...children(one.states)]);

export function wayText(one: ControllerTransition): string {
  const what = one.name || one.event || one.guard;
  return one.target ? `${what} → ${one.target}` : what;
}

const cut = (text: string, letters: number): string => (text.length > letters ? `${text.slice(0, Math.max(letters - 1, 1))}…` : text);

export function layoutRegion(states: readonly ControllerState[]): RegionLayout {
  const all = children(states);
  const longest = Math.max(0, ...all.flatMap((one) => [one.name.length + 4, ...one.transitions.map((way) => wayText(way).length + 2)]));
  const width = Math.min(WIDEST, Math.max(NARROWEST, longest * LETTER + 24));
  const boxes: StateBox[] = [];
  const ways: Way[] = [];
  const place = (state: ControllerState, x: number, y: number, inside: number): number => {
    const box: StateBox = { state, x, y, width: inside, height: 0 };
    boxes.push(box);
    let below = y + HEAD;
    for (const transition of state.transitions) {
      ways.push({ transition, text: cut(wayText(transition), Math.floor((inside - 24) / LETTER)), x: x + 10, y: below + ROW / 2, arc: null });
      below += ROW;
    }
    for (const child of state.states) below = place(child, x + INSET, below + 6, inside - 2 * INSET) - GAP + 6;
    box.height = below - y + 6;
    return below + 6 + GAP;
  };
  let y = 2;
  for (const state of states) y = place(state, 2, y, width);
  const byName = new Map(boxes.map((box) => [box.state.name, box]));
  const owners = new Map(boxes.flatMap((box) => box.state.transitions.map((way) => [way, box] as const)));
  const arcs: { way: Way; top: number; bottom: number }[] = [];
  for (const way of ways) {
    const source = owners.get(way.transition);
    const target = byName.get(way.transition.target);
    if (!source || !target) continue;
    way.arc = { from: [source.x + source.width, way.y], to: [target.x + target.width, target.y + HEAD / 2], lane: 0 };
    arcs.push({ way, top: Math.min(way.arc.from[1], way.arc.to[1]), bottom: Math.max(way.arc.from[1], way.arc.to[1]) });
  }
  // Short lines run near the boxes; lines that pass each other share a lane.
  arcs.sort((a, b) => a.bottom - a.top - (b.bottom - b.top));
  const lanes: { top: number; bottom: number }[][] = [];
  for (const one of arcs) {
    let lane = lanes.findIndex((taken) => taken.every((other) => other.bottom < one.top - 4 || other.top > one.bottom + 4));
    if (lane < 0) lane = lanes.push([]) - 1;
    lanes[lane]?.push(one);
    if (one.way.arc) one.way.arc.lane = lane;
  }
  return { boxes, ways, width: width + 20 + lanes.length * LANE, height: Math.max(y - GAP + 4, HEAD) };
}

/** The line of a way, from its row to the head of the state that is entered. */
export function arcPath(arc: NonNullable<Way["arc"]>, width: number): string {
  const [x1, y1] = arc.from;
  const [x2, y2] = arc.to;
  const lane = width + 12 + arc.lane * LANE;
  const turn = y2 >= y1 ? 4 : -4;
  if (Math.abs(y2 - y1) < 8) return `M${x1} ${y1}H${lane}V${y2}H${x2 + 2}`;
  return `M${x1} ${y1}H${lane - 4}Q${lane} ${y1} ${lane} ${y1 + turn}V${y2 - turn}Q${lane} ${y2} ${lane - 4} ${y2}H${x2 + 2}`;
}
