import { type ReactNode } from "react";
import { ZoneContext } from "../parts/Clock";
import { useSession } from "./session";

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The plant's time zone for all times on all pages; the browser's own where the plant names none. */
export function PlantZone({ children }: { children: ReactNode }) {
  const { zone } = useSession();
  return <ZoneContext value={known(zone) ?? browserZone}>{children}</ZoneContext>;
}

function known(zone: string | null): string | null {
  if (!zone) return null;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
