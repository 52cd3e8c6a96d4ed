import { useMemo, useState } from "react";
import type { AnomalyList, AnomalyModel, AnomalyShape, AnomalyWatch, TwinDetail } from "../../../api/types";
import { useAnomalies } from "../../../data/anomalies";
import { Card } from "../../../parts/Card";
import { Time, useMoment } from "../../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { Strip } from "../../../parts/Strip";
import type { StripItem } from "../../../parts/strip-draw";
import { WindowBar } from "../../../parts/WindowBar";
import { Link } from "../../../route/router";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { formatDuration, parseInstant } from "../../../time/instant";
import { useWindow, type WindowState } from "../../../time/window";
import { AlarmPill } from "../../cases/marks";
import { FoundSignals } from "../../cases/FoundSignals";
import { SayNormal } from "./SayNormal";

const a = t.anomalies;
const STEP_MS = 60_000;
const LISTED = 50;
const NOT_JUDGED = "anomaly:not-judged";

/** Stretches in which the machine was not as it was when it was learnt, and what was learnt. */
export function Anomalies({ twin }: { twin: TwinDetail }) {
  const window = useWindow("7d");
  const answer = useAnomalies(twin.id, window);
  return (
    <Card title={a.title} className="anomalies">
      <p className="weak">{a.note}</p>
      <Loaded answer={answer} skeleton={<Skeleton height={160} />}>
        {(found) => (found.watches.length === 0 ? <Empty title={a.none}>{a.noneHint(twin.id)}</Empty> : <Found twin={twin} found={found} window={window} />)}
      </Loaded>
    </Card>
  );
}

function Found({ twin, found, window }: { twin: TwinDetail; found: AnomalyList; window: WindowState }) {
  const moment = Math.ceil(useMoment(STEP_MS) / STEP_MS) * STEP_MS;
  const [selected, setSelected] = useState<number | null>(null);
  const items = useMemo(() => found.items.map((one) => stripItem(one, moment)), [found.items, moment]);
  const learnt = useMemo(() => found.watches.flatMap((watch) => watch.models.map((model, i) => learning(model, watch.models[i + 1], moment))), [found.watches, moment]);
  const now = found.items.filter((one) => one.to === null);
  const shown = selected === null ? found.items.slice(0, LISTED) : found.items.slice(selected, selected + 1);
  return (
    <>
      <p className={now.length ? "anomaly-now" : "anomaly-calm"}>{now.length ? `▲ ${a.now(now.length)}` : found.watches.some(judges) ? `✓ ${a.calm}` : `– ${a.notJudged}`}</p>
      {found.watches.map((watch, i) => (
        <Model key={i} watch={watch} moment={moment} />
      ))}
      <div className="toolbar">
        <WindowBar window={window} spans={["8h", "24h", "7d", "30d", "1y"]} />
      </div>
      <Row title={a.learnt}>
        <Strip label={a.learnt} items={learnt} window={window} onWindow={window.set} height={18} axis={false} />
      </Row>
      <Row title={a.differs}>
        <Strip label={a.differs} items={items} window={window} onWindow={window.set} height={36} selected={selected} onSelect={setSelected} />
      </Row>
      {found.items.length === 0 ? <p className="weak">{a.nothing}</p> : null}
      <ul className="anomaly-list" aria-label={a.title}>
        {shown.map((one) => (
          <One key={one.id} one={one} twin={twin} moment={moment} />
        ))}
      </ul>
      {selected !== null ? (
        <button type="button" className="plain" onClick={() => setSelected(null)}>
          {a.all(found.items.length)}
        </button>
      ) : found.items.length > LISTED ? (
        <p className="weak">{a.more(found.items.length - LISTED)}</p>
      ) : null}
      <SayNormal twin={twin} first={now.at(-1)?.from ?? null} />
    </>
  );
}

/** Whether it says anything of the machine now: not while it learns, nor in a regime that it never learnt. */
function judges(watch: AnomalyWatch): boolean {
  const model = watch.models.at(-1);
  return watch.running && !watch.failure && model?.state === "learnt" && !model.notes.some((note) => note.code === NOT_JUDGED);
}

function Row({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className="strip-row anomaly-strip">
      <span className="strip-name">{title}</span>
      {children}
    </div>
  );
}

/** What the machine is compared with: which version, learnt when and why, and what is left out. */
function Model({ watch, moment }: { watch: AnomalyWatch; moment: number }) {
  const model = watch.models.at(-1);
  const regimes = Object.entries(model?.regimes ?? {}).filter(([name]) => name !== "all");
  return (
    <div className="anomaly-model">
      {watch.running ? null : <p className="note">{a.withdrawn}</p>}
      {watch.failure ? (
        <p className="note flagged">
          ⚑ {a.failure}: {watch.failure}
        </p>
      ) : null}
      {model ? (
        <p>
          <strong>{a.states[model.state]}</strong> <Time at={model.from} precision="minute" /> – <Time at={model.to} precision="minute" />
          {model.state === "learning" && parseInstant(model.to) > moment ? ` · ${a.left(formatDuration(parseInstant(model.to) - moment))}` : ""}
          <span className="weak">
            {" "}
            · {a.version(model.version)}
            {model.because ? ` · ${a.because} ${model.because}` : ""}
            {regimes.length ? ` · ${a.regimes}: ${regimes.map(([name, bins]) => `${name} (${formatNumber(bins, 0)})`).join("; ")}` : ""}
          </span>
        </p>
      ) : (
        <p className="weak">{a.notBegun}</p>
      )}
      {watch.until ? (
        <p className="weak">
          {a.until} <Time at={watch.until} precision="minute" />
        </p>
      ) : null}
      {model?.notes.map((note, i) => (
        <p key={i} className={note.code === NOT_JUDGED ? "note flagged" : "weak"}>
          {note.message}
          {note.code === NOT_JUDGED ? (
            <>
              {", "}
              {a.since} <Time at={note.where} precision="minute" />
            </>
          ) : null}
          . {note.hint}.
        </p>
      ))}
      {model?.left_out.length ? (
        <details>
          <summary>{a.leftOut(model.left_out.length)}</summary>
          <ul>
            {model.left_out.map((fault, i) => (
              <li key={i}>
                {fault.message}. <span className="weak">{fault.hint}</span>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </div>
  );
}

function One({ one, twin, moment }: { one: AnomalyShape; twin: TwinDetail; moment: number }) {
  const lasted = (one.to === null ? moment : parseInstant(one.to)) - parseInstant(one.from);
  return (
    <li className={one.to === null ? "anomaly goes-on" : "anomaly"}>
      <p className="anomaly-text">{one.text}</p>
      <p className="weak">
        <Time at={one.from} /> – {one.to === null ? t.case.goesOn : <Time at={one.to} />} · <span className="num">{formatDuration(lasted)}</span>
        {one.peak === null ? "" : ` · ${a.peak(formatNumber(one.peak, one.peak < 10 ? 1 : 0))}`}
      </p>
      <FoundSignals signals={one.signals} twin={twin} />
      {one.hints.map((hint) => (
        <p key={hint}>
          {a.hint}: {hint}
        </p>
      ))}
      {one.case ? (
        <p className="row">
          <Link place={`cases/${one.case.id}`}>{a.toCase}</Link>
          {one.case.dismissed ? <span className="pill quiet">{t.case.dismissed}</span> : <AlarmPill alarm={one.case.alarm} />}
        </p>
      ) : null}
    </li>
  );
}

/** An anomaly on the time line: the signal that shows it most, and its share. */
function stripItem(one: AnomalyShape, moment: number): StripItem {
  const first = one.signals[0];
  const share = first?.share ?? null;
  return {
    from: parseInstant(one.from),
    to: one.to === null ? moment : parseInstant(one.to),
    label: first ? first.signal : a.title,
    detail: share === null || one.signals.length < 2 ? "" : `${formatNumber(share * 100, 0)} %`,
    fill: one.case?.dismissed ? "--s-planned_stop" : "--s-repair",
    pattern: one.kind === "stuck" ? "hatch" : "plain",
  };
}

/** Which model held when: hatched while it is learnt. */
function learning(model: AnomalyModel, next: AnomalyModel | undefined, moment: number): StripItem {
  const from = parseInstant(model.from);
  const known = model.state === "learnt";
  const end = next ? parseInstant(next.from) : moment;
  return {
    from,
    to: Math.max(from, known || model.state === "learning" ? end : Math.min(end, parseInstant(model.to))),
    label: `${a.states[model.state]}, ${a.version(model.version)}`,
    detail: "",
    fill: known ? "--s-producing" : "--s-unknown",
    pattern: known ? "plain" : "hatch",
  };
}
