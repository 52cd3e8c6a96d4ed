import { type ReactNode } from "react";
import { get } from "../api/client";
import { useQuery } from "../data/query";
import { ZoneContext } from "../parts/Clock";

interface Health {
  time_zone?: string;
}

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The plant's time zone for all times on all pages; the browser's own where the plant names none. */
export function PlantZone({ children }: { children: ReactNode }) {
  const answer = useQuery("plant zone", (signal) => get<Health>("/health", {}, signal));
  return <ZoneContext value={known(answer.data?.time_zone) ?? browserZone}>{children}</ZoneContext>;
}

function known(zone: string | undefined): string | null {
  if (!zone) return null;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
