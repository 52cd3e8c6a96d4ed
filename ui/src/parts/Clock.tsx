import { createContext, useContext, useEffect, useState } from "react";
import { useRoute } from "../route/router";
import { formatDuration, formatInstant, parseInstant, type Precision, zoneLabel } from "../time/instant";

export const ZoneContext = createContext(Intl.DateTimeFormat().resolvedOptions().timeZone);

export const useZone = (): string => useContext(ZoneContext);

/** The moment that the page looks at: `as_of` of the URL, or null for now. */
export function useAsOf(): number | null {
  const { params } = useRoute();
  const text = params.get("as_of");
  const at = text ? parseInstant(text) : Number.NaN;
  return Number.isFinite(at) ? at : null;
}

/** Now, stepping every `ms`; where the page looks at the past, that moment. */
export function useMoment(ms = 1000): number {
  const asOf = useAsOf();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (asOf !== null) return undefined;
    const timer = window.setInterval(() => setNow(Date.now()), ms);
    return () => window.clearInterval(timer);
  }, [asOf, ms]);
  return asOf ?? now;
}

/** A time in the plant's zone; the zone is named in the title, and beside it where `zone` is set. */
export function Time({ at, precision = "second", zone = false }: { at: string | number; precision?: Precision; zone?: boolean }) {
  const plant = useZone();
  const ms = typeof at === "number" ? at : parseInstant(at);
  if (!Number.isFinite(ms)) return <span>–</span>;
  const label = zoneLabel(plant, ms);
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${formatInstant(ms, plant, "ms")} ${label} (${plant})`} className="num">
      {formatInstant(ms, plant, precision)}
      {zone ? <span className="weak"> {label}</span> : null}
    </time>
  );
}

/** How long something has lasted until the moment looked at. */
export function Since({ at }: { at: string }) {
  const moment = useMoment(1000);
  return <span className="num">{formatDuration(Math.max(0, moment - parseInstant(at)))}</span>;
}
