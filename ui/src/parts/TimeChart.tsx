import { CustomChart, LineChart } from "echarts/charts";
import { AxisPointerComponent, GridComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import { type EChartsType, init, use as register } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useAppearance } from "../shell/appearance";
import type { Window } from "../time/window";
import { setCursor } from "./cursor";
import { useZone } from "./Clock";
import { chartOption, type Panel, panelHeight, PLOT_INSET, tall } from "./chart-option";
import { usePanZoom } from "./usePanZoom";

register([LineChart, CustomChart, GridComponent, TooltipComponent, AxisPointerComponent, MarkAreaComponent, CanvasRenderer]);

interface AxisPointerEvent {
  axesInfo?: { value: number }[];
}

/** Panels one below the other on one time axis with one cross-hair. */
export default function TimeChart({ panels, window: committed, onWindow, label }: { panels: readonly Panel[]; window: Window; onWindow: (next: Window) => void; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const appearance = useAppearance();
  const zone = useZone();
  const shown = usePanZoom(box, committed, onWindow, PLOT_INSET);
  useEffect(() => {
    const element = plot.current;
    if (!element) return undefined;
    const made = init(element);
    chart.current = made;
    made.on("updateAxisPointer", (event) => setCursor((event as AxisPointerEvent).axesInfo?.[0]?.value ?? null));
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    const width = plot.current?.clientWidth ?? 800;
    chart.current?.setOption(chartOption({ panels, window: shown, zone, width }), { notMerge: true, lazyUpdate: true });
  }, [panels, shown, zone, appearance]);
  useEffect(() => {
    chart.current?.resize();
  }, [panels.length]);
  return (
    // The chart takes keys (+ - PageUp PageDown) when it has the focus.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={box} className="chart" role="application" aria-label={label} aria-roledescription="chart" tabIndex={0}>
      <div ref={plot} style={{ height: tall(panels.length) }} data-panel={panelHeight} />
    </div>
  );
}
