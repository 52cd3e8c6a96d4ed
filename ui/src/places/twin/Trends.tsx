import { formatDuration } from "../../time/instant";
import { lazy, Suspense, useMemo } from "react";
import type { SignalShape, TwinDetail } from "../../api/types";
import { Card } from "../../parts/Card";
import { Empty, Problem, Skeleton } from "../../parts/Feedback";
import { Strip } from "../../parts/Strip";
import { WindowBar } from "../../parts/WindowBar";
import { useParam } from "../../route/router";
import { Popover } from "../../shell/Popover";
import { t } from "../../texts/en";
import { useWindow } from "../../time/window";
import { PLOT_INSET } from "../../parts/chart-option";
import { useSeries, useWordStrips } from "./series";
import { useStates } from "./useStates";

const TimeChart = lazy(() => import("../../parts/TimeChart"));
const AT_MOST = 6;

/** Signals over time on one axis: from years to milliseconds. */
export function Trends({ twin }: { twin: TwinDetail }) {
  const window = useWindow("1h");
  const [text, setText] = useParam("signals");
  const chosen = useMemo(() => chosenSignals(twin, text), [twin, text]);
  const numbers = useMemo(() => chosen.filter((s) => s.type === "number"), [chosen]);
  const words = useMemo(() => chosen.filter((s) => s.type === "text" || s.type === "flag"), [chosen]);
  const series = useSeries(twin.id, numbers, window);
  const strips = useWordStrips(twin.id, words, window);
  const states = useStates(twin, window);
  const choose = (next: readonly SignalShape[]): void => setText(next.map((s) => s.name).join(","));
  return (
    <>
      <div className="toolbar">
        <WindowBar window={window} spans={["15m", "1h", "8h", "24h", "7d", "30d", "1y", "10y"]} />
        <span className="spring" />
        <Popover button={`${t.trends.signals} (${chosen.length})`} className="right">
          {() => <SignalChooser twin={twin} chosen={chosen} choose={choose} />}
        </Popover>
      </div>
      {series.error ? <Problem error={series.error} retry={series.reload} /> : null}
      {chosen.length === 0 ? <Empty title={t.trends.none}>{t.trends.noneHint}</Empty> : null}
      <Card className="chart-card" label={t.twin.tabs.trends}>
        {states.items.length ? (
          <div className="strip-row">
            <span className="strip-name">{t.twin.tabs.states}</span>
            <Strip label={t.twin.tabs.states} items={states.items} window={window} onWindow={window.set} height={26} axis={numbers.length === 0} inset={PLOT_INSET} />
          </div>
        ) : null}
        {strips.map((strip) => (
          <div className="strip-row" key={strip.name}>
            <span className="strip-name">{strip.title}</span>
            <Strip label={strip.title} items={strip.items} window={window} onWindow={window.set} height={26} axis={numbers.length === 0} inset={PLOT_INSET} />
          </div>
        ))}
        {numbers.length ? (
          <Suspense fallback={<Skeleton height={240} />}>
            {series.panels ? <TimeChart panels={series.panels} window={window} onWindow={window.set} label={t.twin.tabs.trends} /> : <Skeleton height={240} />}
          </Suspense>
        ) : null}
        <p className="weak hint">
          {series.raw ? t.trends.raw(series.points) : series.panels ? t.trends.gathered(formatDuration(series.step)) : ""} {t.trends.hint}
        </p>
      </Card>
    </>
  );
}

/** Those of the address; without any, the first numbers that have a normal range. */
function chosenSignals(twin: TwinDetail, text: string): SignalShape[] {
  const names = text ? text.split(",") : [];
  const known = names.flatMap((name) => twin.signals.find((s) => s.name === name) ?? []);
  if (known.length) return known.slice(0, AT_MOST);
  const numbers = twin.signals.filter((s) => s.type === "number" && !s.name.startsWith("_"));
  const ranged = numbers.filter((s) => s.range);
  return (ranged.length ? ranged : numbers).slice(0, 3);
}

function SignalChooser({ twin, chosen, choose }: { twin: TwinDetail; chosen: SignalShape[]; choose: (next: SignalShape[]) => void }) {
  const names = new Set(chosen.map((s) => s.name));
  const offered = twin.signals.filter((s) => s.type !== "condition" && !s.name.startsWith("_"));
  return (
    <fieldset className="choices scrolled">
      <legend>{t.trends.atMost(AT_MOST)}</legend>
      {offered.map((signal) => (
        <label key={signal.name}>
          <input
            type="checkbox"
            checked={names.has(signal.name)}
            disabled={!names.has(signal.name) && chosen.length >= AT_MOST}
            onChange={(event) => choose(event.target.checked ? [...chosen, signal] : chosen.filter((s) => s.name !== signal.name))}
          />
          {signal.title || signal.name}
        </label>
      ))}
    </fieldset>
  );
}
