import { useParam } from "../route/router";
import { t } from "../texts/en";
import { parseLocal, startOfDay, toRfc3339 } from "../time/instant";
import { useAsOf, useZone } from "./Clock";

const DAY_MS = 86_400_000;

/** What is asked for: from the start of the first day to the end of the last one; null leaves it to the API. */
export interface Range {
  from: string | null;
  to: string | null;
}

/** The days in the address (`from`, `until`, both within) as a range of the plant's zone, for the API. */
export function useDayRange(): Range & { chosen: boolean } {
  const zone = useZone();
  const asOf = useAsOf();
  const [first] = useParam("from");
  const [last] = useParam("until");
  const begin = parseLocal(`${first} 12:00`, zone);
  const end = parseLocal(`${last} 12:00`, zone);
  return {
    from: Number.isFinite(begin) ? toRfc3339(startOfDay(begin, zone)) : null,
    to: Number.isFinite(end) ? toRfc3339(startOfDay(end + DAY_MS, zone)) : asOf === null ? null : toRfc3339(asOf),
    chosen: first !== "" || last !== "",
  };
}

/** Choice of the first and the last day; `fallback` says which days hold while none is chosen. */
export function DayRange({ label, fallback }: { label: string; fallback: string }) {
  const [first, setFirst] = useParam("from");
  const [last, setLast] = useParam("until");
  return (
    <div className="row day-range" role="group" aria-label={label}>
      <label className="field">
        <span>{t.window.firstDay}</span>
        <input type="date" value={first} max={last || undefined} onChange={(event) => setFirst(event.target.value)} />
      </label>
      <label className="field">
        <span>{t.window.lastDay}</span>
        <input type="date" value={last} min={first || undefined} onChange={(event) => setLast(event.target.value)} />
      </label>
      <span className="weak">{first || last ? null : fallback}</span>
    </div>
  );
}
