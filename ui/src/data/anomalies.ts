import { useCallback } from "react";
import { get, path, post } from "../api/client";
import type { AnomalyList, MachineChange } from "../api/types";
import { useHappened } from "../live/live";
import { toRfc3339 } from "../time/instant";
import type { WindowState } from "../time/window";
import { type Asked, useQuery } from "./query";
import { useAsOfText } from "./twins";

const REFRESH_MS = 30_000;

/** What was learnt of a machine and what differs from it in a window; asked again when the service finds something. */
export function useAnomalies(twin: string, window: WindowState): Asked<AnomalyList> {
  const asOf = useAsOfText();
  const answer = useQuery(
    `anomalies ${twin} ${window.key}`,
    (signal) => get<AnomalyList>(path`/twins/${twin}/anomalies`, { from: toRfc3339(window.from), to: toRfc3339(window.to) }, signal),
    asOf === null && window.rolling ? REFRESH_MS : 0,
    `anomalies ${twin}`,
  );
  const { reload } = answer;
  useHappened(
    useCallback(
      (event) => {
        if (asOf === null && (event.kind.startsWith("finding-") || event.kind.startsWith("case-"))) reload();
      },
      [asOf, reload],
    ),
  );
  return answer;
}

/** What the machine does since then is normal: services learn it anew. */
export const sayNormal = (twin: string, said: { since: string | null; text: string }): Promise<MachineChange> => post<MachineChange>(path`/twins/${twin}/changes`, said);
