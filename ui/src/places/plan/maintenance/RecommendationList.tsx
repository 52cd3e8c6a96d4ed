import { type FormEvent, useState } from "react";
import type { Recommendation, Recommendations } from "../../../api/types";
import { act, type RecommendationAct } from "../../../data/maintenance";
import { Time, useZone } from "../../../parts/Clock";
import { Link } from "../../../route/router";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";
import { formatNumber, formatRatio } from "../../../time/figure";
import { formatInstant, parseInstant, parseLocal, toRfc3339 } from "../../../time/instant";

const f = t.maintenance.follow;
const OPEN = ["proposed", "countered", "accepted", "scheduled", "done"];
const ASK = ["refuse", "counter", "judge", "withdraw"];
const HOUR = 3_600_000;

/** Recommendations with what the reader may do to them; what is over is folded away. */
export function RecommendationList({ found, reload }: { found: Recommendations; reload: () => void }) {
  const open = found.items.filter((item) => OPEN.includes(item.status)).sort((a, b) => parseInstant(a.from) - parseInstant(b.from));
  const over = found.items.filter((item) => !OPEN.includes(item.status));
  const followed = found.followed as { by_status: Record<string, number>; countered: number; right: number | null };
  const by = followed.by_status;
  const through = (by.accepted ?? 0) + (by.scheduled ?? 0) + (by.done ?? 0) + (by.judged ?? 0);
  return (
    <>
      <p>
        {f.counted(through, by.refused ?? 0, followed.countered)}
        {followed.right === null ? null : <span className="weak"> · {f.right(formatRatio(followed.right, 0))}</span>}
      </p>
      <ul className="recommendations">
        {open.map((item) => (
          <Item key={item.id} item={item} reload={reload} />
        ))}
      </ul>
      {over.length ? (
        <details className="over">
          <summary>
            {f.closed} ({over.length})
          </summary>
          <ul className="recommendations">
            {over.map((item) => (
              <Item key={item.id} item={item} reload={reload} />
            ))}
          </ul>
        </details>
      ) : null}
    </>
  );
}

function Item({ item, reload }: { item: Recommendation; reload: () => void }) {
  const [asked, setAsked] = useState("");
  const [busy, setBusy] = useState(false);
  const take = (step: RecommendationAct): void => {
    setBusy(true);
    act(item.id, step)
      .then(
        () => {
          setAsked("");
          reload();
        },
        (error: Error) => notify(error.message, "error"),
      )
      .finally(() => setBusy(false));
  };
  return (
    <li>
      <div className="placed-head">
        <span>
          <strong>{item.title}</strong> <Link place={`machines/${item.twin}`}>{item.twin}</Link>
        </span>
        <Time at={item.from} precision="minute" zone />
        <span className="nowrap">
          {f.marks[item.status]} {f.status[item.status]}
          {item.waiting_for ? <span className="weak">, {f.waits(item.waiting_for)}</span> : null}
        </span>
        <span className="num nowrap">
          {formatNumber(Number(item.cost), 2)} {item.currency}
        </span>
      </div>
      {item.may.length && !asked ? (
        <div className="row">
          {item.may.map((action) => (
            <button
              key={action}
              type="button"
              className={action === "accept" || action === "schedule" ? "primary" : "plain"}
              disabled={busy}
              onClick={() => (ASK.includes(action) ? setAsked(action) : take({ action }))}
            >
              {f.acts[action]}
            </button>
          ))}
        </div>
      ) : null}
      {asked ? <Asked item={item} action={asked} busy={busy} take={take} cancel={() => setAsked("")} /> : null}
      <details>
        <summary>{f.steps}</summary>
        <ul>
          {item.why.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
        <ul>
          {item.steps.map((step) => (
            <li key={step.at}>
              <Time at={step.at} precision="minute" /> {f.acts[step.action] ?? f.status[step.action] ?? step.action}, {step.by} ({step.by_party})
              {step.found ? `: ${f.found[step.found] ?? step.found}` : ""}
              {step.text ? `: ${step.text}` : ""}
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}

interface AskedProps {
  item: Recommendation;
  action: string;
  busy: boolean;
  take: (step: RecommendationAct) => void;
  cancel: () => void;
}

function Asked({ item, action, busy, take, cancel }: AskedProps) {
  const zone = useZone();
  const [text, setText] = useState("");
  const [found, setFound] = useState("worn");
  const [from, setFrom] = useState(formatInstant(parseInstant(item.from), zone, "minute"));
  const [hours, setHours] = useState(String(Math.max(1, Math.round((parseInstant(item.to) - parseInstant(item.from)) / HOUR))));
  const [bad, setBad] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (action !== "counter") {
      take(action === "judge" ? { action, found, text } : { action, text });
      return;
    }
    const start = parseLocal(from, zone);
    const length = Number(hours) * HOUR;
    const wrong = !Number.isFinite(start) || !(length > 0);
    setBad(wrong);
    if (!wrong) take({ action, text, from: toRfc3339(start), to: toRfc3339(start + length) });
  };
  return (
    <form className="act-form" onSubmit={submit}>
      {action === "counter" ? (
        <>
          <label className="field">
            <span>{f.from}</span>
            <input type="text" value={from} onChange={(event) => setFrom(event.target.value)} required />
          </label>
          <label className="field">
            <span>{f.hours}</span>
            <input type="number" min="0.5" step="0.5" value={hours} onChange={(event) => setHours(event.target.value)} required />
          </label>
        </>
      ) : null}
      {action === "judge" ? (
        <label className="field">
          <span>{f.acts.judge}</span>
          <select value={found} onChange={(event) => setFound(event.target.value)}>
            {Object.entries(f.found).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <label className="field">
        <span>{f.reason}</span>
        <input type="text" value={text} maxLength={2000} required={action === "refuse" || action === "withdraw"} onChange={(event) => setText(event.target.value)} />
      </label>
      {bad ? <p role="alert">{f.badTime}</p> : null}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {f.save}
        </button>
        <button type="button" className="plain" onClick={cancel}>
          {f.cancel}
        </button>
      </div>
    </form>
  );
}
