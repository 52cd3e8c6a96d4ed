import { useEffect, useState } from "react";
import { retryLive, useLiveStatus } from "../live/live";
import { useAsOf } from "../parts/Clock";
import { t } from "../texts/en";

const PATIENCE_MS = 1500;

/** Shown when the event stream has been away for more than a moment; goes by itself. */
export function ConnectionBanner() {
  const status = useLiveStatus();
  const asOf = useAsOf();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (status !== "lost") return undefined;
    const timer = window.setTimeout(() => setShown(true), PATIENCE_MS);
    return () => {
      window.clearTimeout(timer);
      setShown(false);
    };
  }, [status]);
  if (!shown || asOf !== null) return null;
  return (
    <div className="banner lost" role="alert">
      <span>
        <strong>{t.connection.lost}</strong> {t.connection.lostHint}
      </span>
      <button type="button" className="plain" onClick={retryLive}>
        {t.connection.retry}
      </button>
    </div>
  );
}
