import { useState } from "react";
import { useMoment, useZone } from "../../parts/Clock";
import { t } from "../../texts/en";
import { formatInstant, parseInstant, parseLocal, toRfc3339, zoneLabel } from "../../time/instant";

const a = t.caseActs;

interface State {
  text: string;
  bad: boolean;
  set: (text: string) => void;
  /** The instant as the API wants it, null: now; undefined: it cannot be read, and the field says so. */
  read: () => string | null | undefined;
}

/** Since when what the machine does is normal; begins with `first`, the begin of what was found. */
export function useNormalSince(first: string | null): State {
  const zone = useZone();
  const shown = first === null ? "" : formatInstant(parseInstant(first), zone);
  const [text, setText] = useState(shown);
  const [bad, setBad] = useState(false);
  return {
    text,
    bad,
    set: setText,
    read: () => {
      // Untouched it is the very instant, not what of it is shown.
      if (first !== null && text === shown) return first;
      if (text.trim() === "") return null;
      const instant = parseLocal(text, zone);
      setBad(!Number.isFinite(instant));
      return Number.isFinite(instant) ? toRfc3339(instant) : undefined;
    },
  };
}

export function NormalSince({ state }: { state: State }) {
  const zone = useZone();
  const now = useMoment(60_000);
  return (
    <label className="field">
      <span>
        {a.normalSince} ({a.doneAtHint(zoneLabel(zone, now))})
      </span>
      <input type="text" placeholder="2026-09-21 08:15" value={state.text} aria-invalid={state.bad} onChange={(event) => state.set(event.target.value)} />
      {state.bad ? <span className="field-problem">{a.badTime}</span> : null}
    </label>
  );
}
