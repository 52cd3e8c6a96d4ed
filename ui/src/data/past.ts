import { ApiError, get, path } from "../api/client";
import type { AlarmPage, StateHistory, StateNow, TwinState, TwinSummary } from "../api/types";
import { parseInstant, toRfc3339 } from "../time/instant";

/** How a plant was at a moment: the API answers values as of a time; state and alarms come from their histories. */
const LOOK_BACK_MS = 24 * 3_600_000;
const AT_ONCE = 4;
const MACHINES_AT_MOST = 100;

const rangeTo = (asOf: string): { from: string; to: string } => ({ from: toRfc3339(parseInstant(asOf) - LOOK_BACK_MS), to: asOf });

export async function stateAt(id: string, asOf: string | null, signal: AbortSignal): Promise<TwinState> {
  const now = get<TwinState>(path`/twins/${id}/state`, { as_of: asOf }, signal);
  if (asOf === null) return now;
  const [values, state, alarms] = await Promise.all([
    now,
    intervalAt(id, asOf, signal),
    get<AlarmPage>(path`/twins/${id}/alarms`, { ...rangeTo(asOf), active: true }, signal).catch(onlyMissing),
  ]);
  return { ...values, state, alarms: alarms?.items ?? [] };
}

/** The state interval that holds at the moment; groups and machines without states have none. */
async function intervalAt(id: string, asOf: string, signal: AbortSignal): Promise<StateNow | null> {
  const history = await get<StateHistory>(path`/twins/${id}/states`, rangeTo(asOf), signal).catch(onlyMissing);
  const last = history?.intervals.at(-1);
  if (!history || !last || history.next) return null;
  // What began before we looked began at an unknown time.
  const since = last.from === history.from ? null : last.from;
  return { state: last.state, since, word: last.word, cause: last.cause, party: last.party, reason: last.reason };
}

function onlyMissing(error: unknown): null {
  if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401) return null;
  throw error;
}

/** States of machines at a moment, a few at once; beyond a number of machines they are left out rather than wrong. */
export async function statesAt(twins: TwinSummary[], asOf: string, signal: AbortSignal): Promise<TwinSummary[]> {
  const found = new Map<string, StateNow | null>();
  const waiting = twins.filter((twin) => twin.state !== null).slice(0, MACHINES_AT_MOST);
  const work = async (): Promise<void> => {
    for (let twin = waiting.shift(); twin; twin = waiting.shift()) found.set(twin.id, await intervalAt(twin.id, asOf, signal));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return twins.map((twin) => ({ ...twin, state: found.get(twin.id) ?? null, alarms: 0, freshness_s: null }));
}
