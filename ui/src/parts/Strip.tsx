import { useEffect, useRef } from "react";
import { useAppearance } from "../shell/appearance";
import { formatDuration } from "../time/instant";
import type { Window } from "../time/window";
import { timeTicks } from "./axis";
import { setCursor, useCursor } from "./cursor";
import { drawStrip, type StripItem } from "./strip-draw";
import { Time, useZone } from "./Clock";
import { usePanZoom } from "./usePanZoom";
import { useWidth } from "./useWidth";

interface StripProps {
  label: string;
  items: readonly StripItem[];
  window: Window;
  onWindow: (next: Window) => void;
  height?: number;
  axis?: boolean;
  selected?: number | null;
  onSelect?: (index: number | null) => void;
  inset?: [number, number];
}

const AXIS = 20;
const NO_INSET: [number, number] = [0, 0];

/** A time line of stretches, each with its colour, pattern and word; zoomed and moved like the charts beside it. */
export function Strip({ label, items, window: committed, onWindow, height = 56, axis = true, selected = null, onSelect, inset = NO_INSET }: StripProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box);
  const appearance = useAppearance();
  const zone = useZone();
  const cursor = useCursor();
  const shown = usePanZoom(box, committed, onWindow, inset);
  const [left, right] = inset;
  const plot = Math.max(1, width - left - right);
  useEffect(() => {
    if (canvas.current && width) {
      const ticks = axis ? timeTicks(shown.from, shown.to, zone, Math.max(2, plot / 90)) : [];
      drawStrip(canvas.current, { items, window: shown, left, plot, width, height, ticks, selected });
    }
  }, [items, shown, width, plot, left, height, axis, selected, appearance, zone]);

  const timeAt = (clientX: number): number => {
    const x = clientX - (box.current?.getBoundingClientRect().left ?? 0) - left;
    return shown.from + (x / plot) * (shown.to - shown.from);
  };
  const under = cursor === null ? undefined : items.find((i) => cursor >= i.from && cursor < i.to);
  const cursorX = cursor === null ? -1 : left + ((cursor - shown.from) / (shown.to - shown.from)) * plot;
  const step = (by: number): void => {
    const visible = items.map((item, i) => ({ item, i })).filter(({ item }) => item.to > shown.from && item.from < shown.to);
    if (visible.length === 0) return;
    const place = visible.findIndex(({ i }) => i === selected);
    const next = visible[Math.min(visible.length - 1, Math.max(0, place < 0 ? (by > 0 ? 0 : visible.length - 1) : place + by))];
    onSelect?.(next?.i ?? null);
  };
  return (
    // A focusable canvas with keys of its own; the same facts are in the table beside it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={box}
      className="strip"
      role="application"
      aria-label={label}
      aria-roledescription="time line"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onPointerMove={(event) => setCursor(timeAt(event.clientX))}
      onPointerLeave={() => setCursor(null)}
      onClick={(event) => {
        const at = timeAt(event.clientX);
        const index = items.findIndex((i) => at >= i.from && at < i.to);
        onSelect?.(index < 0 ? null : index);
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") step(1);
        else if (event.key === "ArrowLeft") step(-1);
        else if (event.key === "Escape") onSelect?.(null);
        else return;
        event.preventDefault();
      }}
    >
      <canvas ref={canvas} style={{ width: "100%", height: height + (axis ? AXIS : 0) }} />
      {cursorX >= left && cursorX <= left + plot ? <span className="strip-cursor" style={{ left: cursorX, height }} /> : null}
      {under && cursorX >= 0 ? (
        <span className="strip-tip" style={{ left: Math.min(Math.max(cursorX, 90), Math.max(90, width - 110)) }}>
          <strong>{under.label}</strong> {under.detail}
          <br />
          <span className="weak">
            <Time at={under.from} /> · {formatDuration(under.to - under.from)}
          </span>
        </span>
      ) : null}
    </div>
  );
}
