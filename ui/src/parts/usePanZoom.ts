import { type RefObject, useEffect, useRef, useState } from "react";
import { moved, type Window, zoomed } from "../time/window";

const COMMIT_MS = 160;
const CLICK_PX = 4;

/**
 * Drag moves through time, the wheel zooms (with Ctrl, or once the chart has the focus), + and - zoom by key.
 *
 * Answers with the window to show: it follows the hand at once, and `onWindow` hears the one that was settled on.
 * `inset` are the pixels on the left and right of the plot that are not time.
 */
export function usePanZoom(
  element: RefObject<HTMLElement | null>,
  committed: Window,
  onWindow: (next: Window) => void,
  inset: [number, number],
): Window {
  const [preview, setPreview] = useState<Window | null>(null);
  const latest = useRef({ window: committed, onWindow, inset });
  useEffect(() => {
    latest.current = { window: committed, onWindow, inset };
  });
  useEffect(() => {
    const node = element.current;
    if (!node) return undefined;
    let shown: Window | null = null;
    let timer = 0;
    let grabbed: { x: number; window: Window; id: number } | null = null;
    const now = (): Window => shown ?? latest.current.window;
    const show = (next: Window): void => {
      shown = next;
      setPreview(next);
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        shown = null;
        setPreview(null);
        latest.current.onWindow(next);
      }, COMMIT_MS);
    };
    const plot = (): { left: number; width: number } => {
      const box = node.getBoundingClientRect();
      const [left, right] = latest.current.inset;
      return { left: box.left + left, width: Math.max(1, box.width - left - right) };
    };
    const onWheel = (event: WheelEvent): void => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!sideways && !event.ctrlKey && !node.contains(document.activeElement)) return;
      event.preventDefault();
      const { left, width } = plot();
      if (sideways) return show(moved(now(), event.deltaX / width));
      const place = Math.min(1, Math.max(0, (event.clientX - left) / width));
      show(zoomed(now(), Math.exp(Math.sign(event.deltaY) * Math.min(0.5, Math.abs(event.deltaY) / 300)), place));
    };
    const onDown = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      grabbed = { x: event.clientX, window: now(), id: event.pointerId };
    };
    const onMove = (event: PointerEvent): void => {
      if (!grabbed) return;
      const by = event.clientX - grabbed.x;
      if (Math.abs(by) < CLICK_PX && !shown) return;
      if (!node.hasPointerCapture(grabbed.id)) node.setPointerCapture(grabbed.id);
      show(moved(grabbed.window, -by / plot().width));
    };
    const onUp = (): void => {
      grabbed = null;
    };
    const onDouble = (event: MouseEvent): void => {
      const { left, width } = plot();
      show(zoomed(now(), 0.4, (event.clientX - left) / width));
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "+" || event.key === "=") show(zoomed(now(), 0.5));
      else if (event.key === "-") show(zoomed(now(), 2));
      else if (event.key === "PageUp") show(moved(now(), -0.5));
      else if (event.key === "PageDown") show(moved(now(), 0.5));
      else return;
      event.preventDefault();
    };
    node.addEventListener("wheel", onWheel, { passive: false });
    node.addEventListener("pointerdown", onDown);
    node.addEventListener("pointermove", onMove);
    node.addEventListener("pointerup", onUp);
    node.addEventListener("pointercancel", onUp);
    node.addEventListener("dblclick", onDouble);
    node.addEventListener("keydown", onKey);
    return () => {
      window.clearTimeout(timer);
      node.removeEventListener("wheel", onWheel);
      node.removeEventListener("pointerdown", onDown);
      node.removeEventListener("pointermove", onMove);
      node.removeEventListener("pointerup", onUp);
      node.removeEventListener("pointercancel", onUp);
      node.removeEventListener("dblclick", onDouble);
      node.removeEventListener("keydown", onKey);
    };
  }, [element]);
  return preview ?? committed;
}
