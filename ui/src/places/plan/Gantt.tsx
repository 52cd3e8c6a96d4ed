import { Fragment, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { PlacedOperation, Schedule } from "../../api/types";
import { useMoment, useZone } from "../../parts/Clock";
import { useWidth } from "../../parts/useWidth";
import { t } from "../../texts/en";
import { formatClock, formatInstant, parseInstant } from "../../time/instant";
import { closedTime, placeAfter, type Scale, shownTime, STEP, ticks, x } from "./gantt-scale";

const b = t.plan.board;
const LANE = 46;
const HEAD = 34;
const NAMES = 92;
const LEAST_PX = 640;

interface Drag {
  key: string;
  dx: number;
  dy: number;
}

export const keyOf = (one: { order: string; operation: string }): string => `${one.order}/${one.operation}`;

/** All machines under each other over one axis; operations can be dragged, or chosen and moved by keys. */
export function Gantt({
  plan,
  other,
  hours,
  chosen,
  choose,
  move,
}: {
  plan: Schedule;
  other: Schedule | undefined;
  hours: number;
  chosen: string;
  choose: (key: string) => void;
  move: ((one: PlacedOperation, machine: string, start: number) => void) | null;
}) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const now = useMoment(30_000);
  const zone = useZone();
  const [drag, setDrag] = useState<(Drag & { x0: number; y0: number }) | null>(null);
  const scale: Scale = { ...shownTime(plan, hours, now), width: Math.max(LEAST_PX, width - 2) - NAMES };
  const lanes = new Map(plan.machines.map((lane, i) => [lane.machine, i]));
  const late = new Set(plan.orders.filter((one) => one.late_s > 0).map((one) => one.order));
  const height = HEAD + plan.machines.length * LANE;
  const inside = (start: number, end: number): boolean => end > scale.from && start < scale.to;
  const left = (at: number): number => Math.max(0, x(scale, at));
  const right = (at: number): number => Math.min(scale.width, x(scale, at));

  const keys = (event: KeyboardEvent, one: PlacedOperation): void => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(keyOf(one));
      return;
    }
    const steps = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    const away = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (!move || one.started || (!steps && !away)) return;
    event.preventDefault();
    const to = placeAfter(plan, one, steps, away);
    choose(keyOf(one));
    if (to.machine !== one.machine || steps) move(one, to.machine, to.start);
  };
  const begin = (event: PointerEvent, one: PlacedOperation): void => {
    choose(keyOf(one));
    if (!move || one.started || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ key: keyOf(one), dx: 0, dy: 0, x0: event.clientX, y0: event.clientY });
  };
  const drop = (one: PlacedOperation): void => {
    if (!drag || !move) return;
    setDrag(null);
    const perPx = (scale.to - scale.from) / scale.width;
    const steps = Math.round((drag.dx * perPx) / STEP);
    const lane = plan.machines[(lanes.get(one.machine) ?? 0) + Math.round(drag.dy / LANE)]?.machine ?? one.machine;
    if (steps !== 0 || lane !== one.machine) move(one, lane, parseInstant(one.start) + steps * STEP);
  };

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="gantt" ref={box} tabIndex={0} role="group" aria-label={b.gantt}>
      <svg width={scale.width + NAMES} height={height}>
        <defs>
          <pattern id="gantt-blocked" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="6" height="6" className="gantt-blocked-ground" />
            <line x1="0" y1="0" x2="0" y2="6" className="gantt-blocked-line" />
          </pattern>
        </defs>
        {plan.machines.map((lane, i) => (
          <g key={lane.machine} transform={`translate(0 ${HEAD + i * LANE})`}>
            <rect className={i % 2 ? "gantt-lane odd" : "gantt-lane"} width={scale.width + NAMES} height={LANE} />
            <text className="gantt-name" x={8} y={LANE / 2 + 4}>
              {lane.title || lane.machine}
            </text>
          </g>
        ))}
        <g transform={`translate(${NAMES} 0)`}>
          {plan.machines.map((lane, i) =>
            closedTime(lane, scale.from, scale.to).map(([start, end]) => (
              <rect key={`${lane.machine} ${start}`} className="gantt-off" x={left(start)} y={HEAD + i * LANE} width={Math.max(0, right(end) - left(start))} height={LANE} />
            )),
          )}
          {ticks(scale).map((at) => (
            <g key={at}>
              <line className="gantt-tick" x1={x(scale, at)} x2={x(scale, at)} y1={HEAD - 6} y2={height} />
              <text className="gantt-time" x={x(scale, at) + 3} y={12}>
                {formatClock(at, zone)}
              </text>
              <text className="gantt-time weak" x={x(scale, at) + 3} y={25}>
                {formatInstant(at, zone, "day").slice(5)}
              </text>
            </g>
          ))}
          {plan.machines.map((lane, i) =>
            lane.blocked.map((one) => {
              const [start, end] = [parseInstant(one.start), parseInstant(one.end)];
              if (!inside(start, end)) return null;
              const word = one.why || b.blocked[one.kind];
              return (
                <g key={`${lane.machine} ${one.start}`} transform={`translate(${left(start)} ${HEAD + i * LANE + 3})`}>
                  <title>{`${b.blocked[one.kind]}: ${word}`}</title>
                  <rect className={`gantt-blocked ${one.kind}`} width={Math.max(2, right(end) - left(start))} height={LANE - 6} fill="url(#gantt-blocked)" />
                  <text className="gantt-word" x={4} y={LANE / 2 + 1} clipPath={`inset(0 0 0 0)`}>
                    {clipped(b.blocked[one.kind], right(end) - left(start))}
                  </text>
                </g>
              );
            }),
          )}
          {other?.operations.map((one) => {
            const lane = lanes.get(one.machine);
            const [start, end] = [parseInstant(one.start), parseInstant(one.end)];
            if (lane === undefined || !inside(start, end)) return null;
            return <rect key={`ghost ${keyOf(one)}`} className="gantt-ghost" x={left(start)} y={HEAD + lane * LANE + 4} width={Math.max(2, right(end) - left(start))} height={LANE - 8} />;
          })}
          {plan.operations.map((one) => {
            const lane = lanes.get(one.machine);
            const [start, end] = [parseInstant(one.start), parseInstant(one.end)];
            if (lane === undefined || !inside(start - one.setup_s * 1000, end)) return null;
            const key = keyOf(one);
            const at = left(start);
            const wide = Math.max(3, right(end) - at);
            const before = at - left(start - one.setup_s * 1000);
            const held = drag?.key === key ? drag : null;
            const isLate = late.has(one.order);
            const name = `${one.order} · ${one.title}`;
            const place = `translate(${at + (held?.dx ?? 0)} ${HEAD + lane * LANE + 7 + (held?.dy ?? 0)})`;
            return (
              <Fragment key={key}>
                <g
                  role="button"
                  tabIndex={0}
                  aria-pressed={chosen === key}
                  aria-label={`${name}, ${one.machine}, ${formatInstant(start, zone, "minute")} – ${formatClock(end, zone)}${isLate ? `, ${b.legend.late}` : ""}`}
                  className={`gantt-op ${isLate ? "late" : ""} ${one.started ? "started" : ""} ${chosen === key ? "chosen" : ""} ${move && !one.started ? "movable" : ""}`}
                  transform={place}
                  onKeyDown={(event) => keys(event, one)}
                  onPointerDown={(event) => begin(event, one)}
                  onPointerMove={(event) => setDrag((d) => (d?.key === key ? { ...d, dx: event.clientX - d.x0, dy: event.clientY - d.y0 } : d))}
                  onPointerUp={() => drop(one)}
                  onPointerCancel={() => setDrag(null)}
                >
                  <title>{name}</title>
                  {before > 1 ? <rect className="gantt-setup" x={-before} y={8} width={before} height={LANE - 30} /> : null}
                  <rect className="gantt-bar" width={wide} height={LANE - 14} rx={2} />
                </g>
                {/* Cut to the width of the bar, so no part of its name: beside the button, not in it. */}
                <g className="gantt-op-words" transform={place} aria-hidden="true" pointerEvents="none">
                  <text className="gantt-word" x={4} y={14}>
                    {named(one.order, isLate, wide)}
                  </text>
                  <text className="gantt-word weak" x={4} y={27}>
                    {clipped(one.product, wide)}
                  </text>
                </g>
              </Fragment>
            );
          })}
          {now > scale.from && now < scale.to ? (
            <g transform={`translate(${x(scale, now)} 0)`}>
              <line className="gantt-now" y1={HEAD - 8} y2={height} />
              <text className="gantt-now-word" x={3} y={HEAD - 1}>
                {b.now}
              </text>
            </g>
          ) : null}
        </g>
      </svg>
    </div>
  );
}

/** An order's name; where there is no room for it its end, which tells orders apart. */
function named(order: string, isLate: boolean, px: number): string {
  const mark = isLate ? "▲" : "";
  const room = Math.floor((px - 6) / 6.6) - (isLate ? 2 : 0);
  if (room >= order.length) return isLate ? `${mark} ${order}` : order;
  if (room < 2) return px > 12 ? mark : "";
  return room < 3 ? `${mark}${order.slice(-room)}` : `${mark}…${order.slice(1 - room)}`;
}

/** As much of a word as fits a bar: about seven pixels a letter. */
function clipped(word: string, px: number): string {
  const room = Math.floor((px - 6) / 6.6);
  if (room >= word.length) return word;
  return room < 3 ? "" : `${word.slice(0, room - 1)}…`;
}
