import { get, path } from "../api/client";
import type { ServiceRuns } from "../api/types";
import { type Asked, useQuery } from "./query";

/** The service that looks for anomalies on a twin; null: it does not run there. */
export const useAnomalyService = (twin: string): Asked<ServiceRuns | null> =>
  useQuery(`anomaly service ${twin}`, async (signal) => {
    const all = await get<{ items: ServiceRuns[] }>(path`/twins/${twin}/services`, {}, signal);
    return all.items.find((one) => one.service === "anomaly") ?? null;
  });
