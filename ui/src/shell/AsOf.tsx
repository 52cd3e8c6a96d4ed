import { type FormEvent, useState } from "react";
import { useAsOf, useMoment, useZone } from "../parts/Clock";
import { setParams } from "../route/router";
import { t } from "../texts/en";
import { formatClock, formatInstant, parseLocal, toRfc3339, zoneLabel } from "../time/instant";
import { copyLink } from "./notify";
import { Popover } from "./Popover";

const backToNow = (): void => setParams({ as_of: "" }, false);

/** The one moment that all pages show: live, or a time in the past that is part of the address. */
export function AsOfControl() {
  const asOf = useAsOf();
  const moment = useMoment(1000);
  const zone = useZone();
  const label = asOf === null ? t.moment.live : t.moment.past;
  const text = asOf === null ? formatClock(moment, zone, "second") : formatInstant(asOf, zone, "minute");
  return (
    <Popover
      className={asOf === null ? "as-of" : "as-of past"}
      label={`${t.moment.title}:`}
      button={
        <>
          <span className="as-of-mark" aria-hidden="true" />
          <span className="as-of-word">{label}</span>
          <span className="num as-of-time">{text}</span>
          <span className="weak as-of-zone">{zoneLabel(zone, moment)}</span>
        </>
      }
    >
      {(close) => <MomentForm moment={moment} past={asOf !== null} close={close} />}
    </Popover>
  );
}

function MomentForm({ moment, past, close }: { moment: number; past: boolean; close: () => void }) {
  const zone = useZone();
  const [text, setText] = useState(() => formatInstant(moment, zone, "minute").replace(" ", "T"));
  const [problem, setProblem] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const at = parseLocal(text, zone);
    if (!Number.isFinite(at)) return setProblem(t.moment.bad);
    if (at > Date.now()) return setProblem(t.moment.future);
    setParams({ as_of: toRfc3339(at) }, false);
    close();
  };
  return (
    <form onSubmit={submit} className="stack">
      <h2>{t.moment.title}</h2>
      <p className="weak">{t.moment.help}</p>
      <label className="field">
        <span>
          {t.moment.field} ({zone})
        </span>
        <input type="datetime-local" step={1} value={text} onChange={(e) => setText(e.target.value)} required />
      </label>
      {problem ? (
        <p className="field-problem" role="alert">
          {problem}
        </p>
      ) : null}
      <div className="row">
        <button type="submit" className="primary">
          {t.moment.apply}
        </button>
        {past ? (
          <button
            type="button"
            className="plain"
            onClick={() => {
              backToNow();
              close();
            }}
          >
            {t.moment.back}
          </button>
        ) : null}
        <button type="button" className="plain" onClick={() => void copyLink()}>
          {t.copyLink}
        </button>
      </div>
    </form>
  );
}

/** Says plainly that what is shown is not now. */
export function PastBanner() {
  const asOf = useAsOf();
  const zone = useZone();
  if (asOf === null) return null;
  return (
    <div className="banner past" role="status">
      <span>
        {t.moment.banner}{" "}
        <strong className="num">
          {formatInstant(asOf, zone)} {zoneLabel(zone, asOf)}
        </strong>
      </span>
      <button type="button" className="plain" onClick={backToNow}>
        {t.moment.back}
      </button>
    </div>
  );
}
