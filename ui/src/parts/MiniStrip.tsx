import { useEffect, useRef } from "react";
import { useAppearance } from "../shell/appearance";
import { formatDuration } from "../time/instant";
import type { Window } from "../time/window";
import { drawStrip, type StripItem } from "./strip-draw";
import { useWidth } from "./useWidth";

/** A time line to glance at: no zoom, no axis; its sums are told to those who do not see it. */
export function MiniStrip({ label, items, window, height = 18 }: { label: string; items: readonly StripItem[]; window: Window; height?: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(canvas);
  const appearance = useAppearance();
  useEffect(() => {
    if (canvas.current && width) drawStrip(canvas.current, { items, window, left: 0, plot: width, width, height, ticks: [], selected: null });
  }, [items, window, width, height, appearance]);
  const sums = new Map<string, number>();
  for (const item of items) sums.set(item.label, (sums.get(item.label) ?? 0) + item.to - item.from);
  const told = [...sums].map(([word, ms]) => `${word} ${formatDuration(ms)}`).join(", ");
  return <canvas ref={canvas} role="img" aria-label={`${label}: ${told}`} style={{ width: "100%", height, display: "block" }} />;
}
