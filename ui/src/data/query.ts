import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { ApiError } from "../api/client";

/** What a page knows of one question: the last answer stays while a newer one is fetched. */
export interface Answer<T> {
  /** Of the question before, while the first answer to this one is on its way. */
  kept?: boolean;
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  at: number;
}

interface Entry<T> {
  answer: Answer<T>;
  listeners: Set<() => void>;
  running: AbortController | null;
  failures: number;
}

const NOTHING: Answer<never> = { data: undefined, error: undefined, loading: true, at: 0 };
const KEPT_AT_MOST = 300;
const FAMILIES_AT_MOST = 60;
const entries = new Map<string, Entry<unknown>>();
/** The newest answer of each family of questions (the same figure over other windows of time). */
const families = new Map<string, unknown>();

function remember(family: string, data: unknown): void {
  families.delete(family);
  families.set(family, data);
  if (families.size > FAMILIES_AT_MOST) families.delete(families.keys().next().value ?? "");
}

function entryOf<T>(key: string): Entry<T> {
  let entry = entries.get(key) as Entry<T> | undefined;
  if (!entry) {
    if (entries.size >= KEPT_AT_MOST) forgetUnused();
    entry = { answer: NOTHING, listeners: new Set(), running: null, failures: 0 };
    entries.set(key, entry);
  }
  return entry;
}

function forgetUnused(): void {
  for (const [key, entry] of entries) {
    if (entry.listeners.size === 0) entries.delete(key);
    if (entries.size < KEPT_AT_MOST / 2) return;
  }
}

/** Forgets everything, when another person signs in. */
export function forgetAnswers(): void {
  for (const entry of entries.values()) entry.running?.abort();
  entries.clear();
  families.clear();
}

/** What the parts of the page would ask again. */
const asking = new Set<() => void>();

/** Asks everything anew that is on the page. */
export function reloadAll(): void {
  for (const reload of asking) reload();
}

function tell<T>(entry: Entry<T>, answer: Answer<T>): void {
  entry.answer = answer;
  for (const listener of entry.listeners) listener();
}

async function load<T>(entry: Entry<T>, ask: (signal: AbortSignal) => Promise<T>, family: string): Promise<void> {
  if (entry.running) return;
  const running = new AbortController();
  entry.running = running;
  if (!entry.answer.loading) tell(entry, { ...entry.answer, loading: true });
  try {
    const data = await ask(running.signal);
    entry.failures = 0;
    entry.running = null;
    if (family) remember(family, data);
    tell(entry, { data, error: undefined, loading: false, at: Date.now() });
  } catch (error) {
    entry.running = null;
    if (running.signal.aborted) return;
    entry.failures += 1;
    const fault = error instanceof ApiError ? error : unexpected(error);
    tell(entry, { ...entry.answer, error: fault, loading: false, at: Date.now() });
  }
}

function unexpected(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(-1, { code: "page:unexpected", message, hint: "Load the page again.", where: "" });
}

const transient = (error: ApiError | undefined): boolean => error !== undefined && (error.status === 0 || error.status >= 500);

export interface Asked<T> extends Answer<T> {
  reload: () => void;
}

/**
 * Ask the API. `key` names the question (null: do not ask); `refresh` asks again every so many milliseconds while
 * the page is seen. Calls that failed on the way are tried again with a growing pause. Questions of one `family`
 * show the answer of the one before until their own has come.
 */
export function useQuery<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>, refresh = 0, family = ""): Asked<T> {
  const entry = useMemo(() => (key === null ? null : entryOf<T>(key)), [key]);
  const latest = useRef(ask);
  useEffect(() => {
    latest.current = ask;
  });
  const subscribe = useCallback(
    (listener: () => void) => {
      entry?.listeners.add(listener);
      return () => {
        entry?.listeners.delete(listener);
        if (entry && entry.listeners.size === 0) {
          entry.running?.abort();
          entry.running = null;
        }
      };
    },
    [entry],
  );
  const answer = useSyncExternalStore(subscribe, () => entry?.answer ?? (NOTHING as Answer<T>));
  const reload = useCallback(() => {
    if (entry) void load(entry, (signal) => latest.current(signal), family);
  }, [entry, family]);

  useEffect(() => {
    if (!entry) return undefined;
    asking.add(reload);
    if (entry.answer.at === 0 || refresh === 0 || Date.now() - entry.answer.at > refresh) reload();
    let timer = 0;
    const tick = (): void => {
      const pause = transient(entry.answer.error) ? Math.min(30_000, 1000 * 2 ** Math.min(entry.failures, 5)) : refresh;
      timer = window.setTimeout(
        () => {
          const due = refresh > 0 || transient(entry.answer.error);
          if (due && document.visibilityState === "visible") reload();
          tick();
        },
        pause || 2000,
      );
    };
    tick();
    return () => {
      window.clearTimeout(timer);
      asking.delete(reload);
    };
  }, [entry, refresh, reload]);

  if (answer.data === undefined && answer.error === undefined && family && families.has(family)) {
    return { ...answer, data: families.get(family) as T, kept: true, reload };
  }
  return { ...answer, reload };
}
