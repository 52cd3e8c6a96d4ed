import { useCallback, useMemo, useState } from "react";
import { get, path } from "../api/client";
import type { Page, TwinDetail, TwinState, TwinSummary } from "../api/types";
import { EVERYTHING, useHappened, useLiveChanges } from "../live/live";
import { useAsOf } from "../parts/Clock";
import { toRfc3339 } from "../time/instant";
import { type Asked, useQuery } from "./query";

const PAGE = 500;
const REFRESH_MS = 5000;

/** All pages of a list. */
export async function getAll<T>(url: string, query: Record<string, string | number | null>, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await get<Page<T>>(url, { ...query, limit: PAGE, cursor }, signal);
    items.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor);
  return items;
}

/** The moment of the page as the API's `as_of`, null for now. */
export function useAsOfText(): string | null {
  const asOf = useAsOf();
  return asOf === null ? null : toRfc3339(asOf);
}

/** Every twin the caller may see, with the states that arrive live. */
export function useTwins(): Asked<TwinSummary[]> {
  const asOf = useAsOfText();
  const answer = useQuery(
    `twins ${asOf ?? "now"}`,
    (signal) => getAll<TwinSummary>("/twins", { as_of: asOf }, signal),
    asOf === null ? REFRESH_MS : 0,
  );
  const states = useLiveStates(asOf === null, answer.at);
  const data = useMemo(
    () =>
      answer.data?.map((twin) => {
        const live = states.get(twin.id);
        return live ? { ...twin, state: { ...QUIET, ...live }, freshness_s: 0 } : twin;
      }),
    [answer.data, states],
  );
  return { ...answer, data };
}

const QUIET = { cause: "", party: "", reason: "" };

interface LiveState {
  state: string;
  since: string;
  word: string;
}

/** States that came by the event stream after the list was read; a newer list makes them void. */
function useLiveStates(follow: boolean, listAt: number): ReadonlyMap<string, LiveState> {
  const [held, setHeld] = useState({ listAt, states: NO_STATES });
  useLiveChanges(follow ? [EVERYTHING] : null, (changes) => {
    const changed = changes.filter((c) => typeof c.values._state?.[1] === "string");
    if (changed.length === 0) return;
    setHeld((before) => {
      const states = new Map(before.listAt === listAt ? before.states : NO_STATES);
      for (const change of changed) {
        const value = change.values._state;
        if (value) states.set(change.twin, { state: String(value[1]), since: toRfc3339(value[0] / 1e6), word: "" });
      }
      return { listAt, states };
    });
  });
  return held.listAt === listAt ? held.states : NO_STATES;
}

const NO_STATES: ReadonlyMap<string, LiveState> = new Map();

export function useTwin(id: string): Asked<TwinDetail> {
  const asOf = useAsOfText();
  const answer = useQuery(
    `twin ${id} ${asOf ?? "now"}`,
    (signal) => get<TwinDetail>(path`/twins/${id}`, { as_of: asOf }, signal),
    asOf === null ? REFRESH_MS : 0,
  );
  useReloadOn(id, asOf, answer.reload);
  return answer;
}

/** The values of a twin now: the last answer, overlaid with what arrived live since. */
export function useTwinState(id: string): Asked<TwinState> {
  const asOf = useAsOfText();
  const answer = useQuery(
    `state ${id} ${asOf ?? "now"}`,
    (signal) => get<TwinState>(path`/twins/${id}/state`, { as_of: asOf }, signal),
    asOf === null ? REFRESH_MS : 0,
  );
  useReloadOn(id, asOf, answer.reload);
  return answer;
}

/** Ask again when something happened to the twin, unless it is looked at as of a moment that is past. */
function useReloadOn(id: string, asOf: string | null, reload: () => void): void {
  useHappened(
    useCallback(
      (event) => {
        if (asOf === null && event.subject === id) reload();
      },
      [asOf, id, reload],
    ),
  );
}

const GROUPS: ReadonlySet<string> = new Set(["line", "factory", "fleet", "ecosystem"]);

export const isGroup = (twin: { kind: string }): boolean => GROUPS.has(twin.kind);

/** Machines anywhere below a group. */
export function below(id: string, all: readonly TwinSummary[]): TwinSummary[] {
  const children = new Map<string, TwinSummary[]>();
  for (const twin of all) if (twin.parent) children.set(twin.parent, [...(children.get(twin.parent) ?? []), twin]);
  const found: TwinSummary[] = [];
  const seen = new Set<string>([id]);
  const open = [...(children.get(id) ?? [])];
  while (open.length) {
    const twin = open.pop();
    if (!twin || seen.has(twin.id)) continue;
    seen.add(twin.id);
    if (twin.kind === "machine" || twin.kind === "robot") found.push(twin);
    open.push(...(children.get(twin.id) ?? []));
  }
  return found;
}
