import { useState } from "react";
import { ApiError, path, post } from "../../api/client";
import type { Verdict } from "../../api/types";
import type { TryOut } from "../../data/cases";
import { Card } from "../../parts/Card";
import { Time, useMoment } from "../../parts/Clock";
import { Problem, Skeleton } from "../../parts/Feedback";
import { MiniStrip } from "../../parts/MiniStrip";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatRatio } from "../../time/figure";
import { formatDuration, parseInstant, toRfc3339 } from "../../time/instant";
import type { Window } from "../../time/window";

const r = t.requirements;
const DAY = 86_400_000;
const PERIODS = [7, 30, 365];
const LISTED = 10;

interface Tried {
  formula: string;
  window: Window;
  answer: TryOut;
}

/** "How often would this have fired?": the formula over the machine's own past. */
export function TryOutCard({ twin, component, formula, signals, ready }: { twin: string; component: string; formula: string; signals: string[]; ready: boolean }) {
  const moment = useMoment(60_000);
  const [days, setDays] = useState(0);
  const [tried, setTried] = useState<Tried | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async (period: number): Promise<void> => {
    const window = { from: moment - period * DAY, to: moment };
    setDays(period);
    setBusy(true);
    setProblem(null);
    try {
      const answer = await post<TryOut>(path`/twins/${twin}/requirements/try`, { formula, component, from: toRfc3339(window.from), to: toRfc3339(window.to) });
      setTried({ formula, window, answer });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setTried(null);
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const shown = tried && tried.formula === formula ? tried : null;
  return (
    <Card title={r.question}>
      <div className="segmented" role="group" aria-label={r.question}>
        {PERIODS.map((period) => (
          <button key={period} type="button" disabled={!ready || busy} aria-pressed={shown !== null && days === period} onClick={() => void ask(period)}>
            {r.last(period)}
          </button>
        ))}
      </div>
      {busy ? <Skeleton lines={3} /> : shown ? <Outcome tried={shown} twin={twin} signals={signals} /> : null}
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}

function Outcome({ tried: { answer, window }, twin, signals }: { tried: Tried; twin: string; signals: string[] }) {
  const { seconds, violations } = answer;
  const of = (verdict: Verdict): number => seconds[verdict] ?? 0;
  const all = of("true") + of("false") + of("inconclusive") || 1;
  const items = violations.map((v) => ({ from: parseInstant(v.from), to: parseInstant(v.to), label: t.verdicts.false, detail: "", fill: "--s-failed", pattern: "plain" as const }));
  return (
    <div className="try-out" role="status">
      <p className="verdict">{r.wouldHave(answer.count)}</p>
      <p className="weak">{answer.triggered === null ? "" : answer.triggered === 0 ? r.vacuous : r.triggered(answer.triggered)}</p>
      <MiniStrip label={r.longest} items={items} window={window} height={22} />
      <p className="strip-ends weak">
        <Time at={window.from} precision="day" />
        <Time at={window.to} precision="day" />
      </p>
      <table className="plain-table">
        <tbody>
          {(["true", "false", "inconclusive"] as const).map((verdict) => (
            <tr key={verdict}>
              <th scope="row">{{ true: r.kept, false: r.violated, inconclusive: r.inconclusive }[verdict]}</th>
              <td className="right num">{formatDuration(of(verdict) * 1000)}</td>
              <td className="right num weak">{formatRatio(of(verdict) / all, 2)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="findings">
        {violations.slice(0, LISTED).map((v) => (
          <li key={v.from}>
            <span>
              <Time at={v.from} /> <span className="weak num">{formatDuration(parseInstant(v.to) - parseInstant(v.from))}</span>
            </span>
            <Link className="plain" place={`machines/${twin}/trends`} params={{ signals: signals.join(","), ...around(v.from, v.to) }}>
              {r.openTrend}
            </Link>
          </li>
        ))}
      </ul>
      {answer.count > LISTED ? <p className="weak">{r.more(answer.count - LISTED)}</p> : null}
    </div>
  );
}

function around(from: string, to: string): { from: string; to: string } {
  const a = parseInstant(from);
  const b = parseInstant(to);
  const pad = Math.max(60_000, (b - a) / 2);
  return { from: toRfc3339(Math.floor(a - pad)), to: toRfc3339(Math.ceil(b + pad)) };
}
