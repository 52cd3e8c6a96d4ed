import type { Happened, LiveChange, Status } from "./connection";

/** What a page tells the shared worker. */
export type ToWorker = { do: "follow"; twins: string[] } | { do: "retry" } | { do: "bye" };

/** What the shared worker tells a page. */
export type FromWorker =
  | { is: "status"; status: Status }
  | { is: "live"; changes: LiveChange[] }
  | { is: "happened"; event: Happened }
  | { is: "resync" };
