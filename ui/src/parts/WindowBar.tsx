import { t } from "../texts/en";
import { formatDuration, formatInstant, zoneLabel } from "../time/instant";
import { moved, type WindowState, zoomed } from "../time/window";
import { useZone } from "./Clock";

type Spans = keyof typeof t.window.spans;

/** Choice of the time that charts show. */
export function WindowBar({ window: w, spans }: { window: WindowState; spans: readonly Spans[] }) {
  const zone = useZone();
  const precision = w.to - w.from < 120_000 ? "ms" : "second";
  return (
    <div className="window-bar" role="group" aria-label={t.window.label}>
      <div className="segmented">
        {spans.map((span) => (
          <button key={span} type="button" aria-pressed={w.rolling && w.span === span} onClick={() => w.setSpan(span)}>
            {t.window.spans[span]}
          </button>
        ))}
      </div>
      <div className="segmented">
        <button type="button" aria-label={t.window.earlier} title={t.window.earlier} onClick={() => w.set(moved(w, -0.5))}>
          ◀
        </button>
        <button type="button" aria-label={t.window.zoomOut} title={t.window.zoomOut} onClick={() => w.set(zoomed(w, 2))}>
          −
        </button>
        <button type="button" aria-label={t.window.zoomIn} title={t.window.zoomIn} onClick={() => w.set(zoomed(w, 0.5))}>
          +
        </button>
        <button type="button" aria-label={t.window.later} title={t.window.later} onClick={() => w.set(moved(w, 0.5))}>
          ▶
        </button>
      </div>
      <span className="weak num window-text">
        {formatInstant(w.from, zone, precision)} – {formatInstant(w.to, zone, precision)} {zoneLabel(zone, w.to)} ({formatDuration(w.to - w.from)})
      </span>
    </div>
  );
}
