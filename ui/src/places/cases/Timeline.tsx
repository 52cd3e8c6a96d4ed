import { lazy, Suspense, useMemo } from "react";
import { get, path, withQuery } from "../../api/client";
import type { CaseDetail, CaseFinding, SignalShape, TwinDetail, Verdict } from "../../api/types";
import type { VerdictPiece } from "../../data/cases";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { type Mark, PLOT_INSET } from "../../parts/chart-option";
import { Time, useMoment } from "../../parts/Clock";
import { Problem, Skeleton } from "../../parts/Feedback";
import { Strip } from "../../parts/Strip";
import type { StripItem } from "../../parts/strip-draw";
import { WindowBar } from "../../parts/WindowBar";
import { useRoute } from "../../route/router";
import { t } from "../../texts/en";
import { formatDuration, parseInstant, toRfc3339 } from "../../time/instant";
import { aligned, bucketWidth, useWindow, type WindowState } from "../../time/window";
import { useSeries, useWordStrips } from "../twin/series";
import { useStates } from "../twin/useStates";
import { alarmItems } from "./alarm";
import { around, marginText, violationItem } from "./violation";

const TimeChart = lazy(() => import("../../parts/TimeChart"));
const c = t.case;
const STEP_MS = 10_000;
const STATE = new Set(["state", "_state"]);
const HEIGHT = 26;

/** The violation on the signals that the formula reads, all on one time axis. */
export function Timeline({ one, twin }: { one: CaseDetail; twin: TwinDetail }) {
  const moment = Math.ceil(useMoment(STEP_MS) / STEP_MS) * STEP_MS;
  const window = useCaseWindow(one.findings, moment);
  const names = useMemo(() => [...new Set([...one.signals, ...(one.explanation?.samples ?? []).map((s) => s.signal)])], [one.signals, one.explanation]);
  const known = useMemo(() => names.flatMap((name) => twin.signals.find((s) => s.name === name) ?? []), [names, twin.signals]);
  const numbers = useMemo(() => known.filter((s) => s.type === "number"), [known]);
  const words = useMemo(() => known.filter((s) => (s.type === "text" || s.type === "flag") && !STATE.has(s.name)), [known]);
  const undrawn = names.filter((name) => !STATE.has(name) && !numbers.some((s) => s.name === name) && !words.some((s) => s.name === name));
  const violations = useMemo(() => one.findings.map((f) => violationItem(f, moment)), [one.findings, moment]);
  const marks = useMemo(() => violations.map(({ from, to }): Mark => [from, to]), [violations]);
  const faults = useMemo(() => alarmItems(one.alarms, "fault", moment), [one.alarms, moment]);
  const warnings = useMemo(() => alarmItems(one.alarms, "warning", moment), [one.alarms, moment]);
  const verdicts = useVerdicts(one, window);
  const axis = numbers.length === 0;
  const strip = (label: string, items: readonly StripItem[], last = false) => (
    <div className="strip-row" key={label}>
      <span className="strip-name">{label}</span>
      <Strip label={label} items={items} window={window} onWindow={window.set} height={HEIGHT} axis={axis && last} inset={PLOT_INSET} />
    </div>
  );
  return (
    <Card title={c.timeline} className="chart-card">
      <div className="toolbar">
        <WindowBar window={window} spans={["15m", "1h", "8h", "24h", "7d", "30d"]} />
      </div>
      {verdicts.length ? strip(c.verdict, verdicts) : null}
      {faults.length ? strip(c.alarmFaults, faults) : null}
      {warnings.length ? strip(c.alarmWarnings, warnings) : null}
      {strip(one.source ? c.stretch : c.violation, violations, words.length === 0)}
      {names.some((name) => STATE.has(name)) ? <StateStrip twin={twin} window={window} /> : null}
      <WordStrips twin={twin.id} signals={words} window={window} axis={axis} />
      {numbers.length ? <Signals twin={twin.id} signals={numbers} window={window} marks={marks} /> : null}
      {known.length || names.some((name) => STATE.has(name)) ? null : <p className="weak">{c.noSignals}</p>}
      <p className="weak hint">
        {one.source ? c.shadedFound : c.shaded} {undrawn.length ? c.notDrawn(undrawn.join(", ")) : ""} {t.trends.hint}
      </p>
      <Findings id={one.id} findings={one.findings} moment={moment} window={window} />
    </Card>
  );
}

/** The window of the address; without one, the latest violation with as much again around it. */
function useCaseWindow(findings: readonly CaseFinding[], moment: number): WindowState {
  const { params } = useRoute();
  const asked = useWindow("1h");
  const latest = findings.at(-1);
  const chosen = params.has("span") || params.has("from");
  return useMemo(() => {
    if (chosen || !latest) return asked;
    const { from, to } = around(latest, moment);
    return { ...asked, from, to, rolling: false, span: "", key: `${from} ${to}` };
  }, [asked, chosen, latest, moment]);
}

const FILLS: Record<Verdict, Pick<StripItem, "fill" | "pattern">> = {
  true: { fill: "--s-producing", pattern: "plain" },
  false: { fill: "--s-failed", pattern: "plain" },
  inconclusive: { fill: "--s-unknown", pattern: "hatch" },
};

/** Verdicts of the monitor over the window; none where this node does not tell them. */
function useVerdicts(one: CaseDetail, window: WindowState): StripItem[] {
  const asOf = useAsOfText();
  const { from, to } = aligned(window, bucketWidth(window.to - window.from));
  const answer = useQuery(
    one.source ? null : `verdicts ${one.twin} ${one.requirement} ${window.key}`,
    (signal) => get<{ pieces: VerdictPiece[] }>(path`/twins/${one.twin}/verdicts`, { requirement: one.requirement, from: toRfc3339(from), to: toRfc3339(asOf === null ? to : Math.min(to, parseInstant(asOf))) }, signal),
    window.rolling && asOf === null ? STEP_MS : 0,
    `verdicts ${one.twin} ${one.requirement}`,
  );
  return useMemo(
    () =>
      (answer.data?.pieces ?? []).map((piece) => ({
        from: parseInstant(piece.from),
        to: parseInstant(piece.to),
        label: t.verdicts[piece.verdict],
        detail: marginText(piece.least, piece.most),
        ...FILLS[piece.verdict],
      })),
    [answer.data],
  );
}

interface Drawn {
  twin: string;
  signals: readonly SignalShape[];
  window: WindowState;
}

function Signals({ twin, signals, window, marks }: Drawn & { marks: readonly Mark[] }) {
  const series = useSeries(twin, signals, window);
  const panels = useMemo(() => series.panels?.map((panel) => ({ ...panel, marks })), [series.panels, marks]);
  return (
    <>
      {series.error ? <Problem error={series.error} retry={series.reload} /> : null}
      <Suspense fallback={<Skeleton height={240} />}>{panels ? <TimeChart panels={panels} window={window} onWindow={window.set} label={c.timeline} /> : <Skeleton height={240} />}</Suspense>
    </>
  );
}

function WordStrips({ twin, signals, window, axis }: Drawn & { axis: boolean }) {
  const strips = useWordStrips(twin, signals, window);
  return strips.map((strip, i) => (
    <div className="strip-row" key={strip.name}>
      <span className="strip-name">{strip.title}</span>
      <Strip label={strip.title} items={strip.items} window={window} onWindow={window.set} height={HEIGHT} axis={axis && i === strips.length - 1} inset={PLOT_INSET} />
    </div>
  ));
}

function StateStrip({ twin, window }: { twin: TwinDetail; window: WindowState }) {
  const states = useStates(twin, window);
  return (
    <div className="strip-row">
      <span className="strip-name">{c.machineState}</span>
      <Strip label={c.machineState} items={states.items} window={window} onWindow={window.set} height={HEIGHT} axis={false} inset={PLOT_INSET} />
    </div>
  );
}

/** The violations as a list, for those who do not see the drawing; each can be brought into view. */
function Findings({ id, findings, moment, window }: { id: string; findings: readonly CaseFinding[]; moment: number; window: WindowState }) {
  return (
    <ul className="findings" aria-label={c.violations}>
      {[...findings].reverse().map((f) => (
        <li key={f.id}>
          <span>
            <Time at={f.from} precision="ms" /> – {f.to === null ? c.goesOn : <Time at={f.to} precision="ms" />}{" "}
            <span className="weak num">{formatDuration((f.to === null ? moment : parseInstant(f.to)) - parseInstant(f.from))}</span>
          </span>
          <span className="weak">
            {c.determined} <Time at={f.determined} precision="ms" />
            <Margin of={f} id={id} />
          </span>
          <button type="button" className="plain" onClick={() => window.set(around(f, moment))}>
            {c.zoom}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** How far the deciding comparison was from being kept; it opens what it was computed from. */
function Margin({ of, id }: { of: CaseFinding; id: string }) {
  const text = marginText(of.least, of.most);
  if (!text) return null;
  const url = withQuery("/api/v1/provenance", { kind: "case", case: id, of: "violation", finding: of.id });
  return (
    <>
      {" "}
      · {c.margin} <Figure text={text} source={{ url, title: c.margin }} />
    </>
  );
}
