import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { ApiError } from "../api/client";

/** What a page knows of one question: the last answer stays while a newer one is fetched. */
export interface Answer<T> {
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
const entries = new Map<string, Entry<unknown>>();

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
}

function tell<T>(entry: Entry<T>, answer: Answer<T>): void {
  entry.answer = answer;
  for (const listener of entry.listeners) listener();
}

async function load<T>(entry: Entry<T>, ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
  if (entry.running) return;
  const running = new AbortController();
  entry.running = running;
  if (!entry.answer.loading) tell(entry, { ...entry.answer, loading: true });
  try {
    const data = await ask(running.signal);
    entry.failures = 0;
    entry.running = null;
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
 * the page is seen. Calls that failed on the way are tried again with a growing pause.
 */
export function useQuery<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>, refresh = 0): Asked<T> {
  const entry = useMemo(() => (key === null ? null : entryOf<T>(key)), [key]);
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
    if (entry) void load(entry, ask);
    // The question is named by its key; a new closure for the same key asks the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [entry]);

  useEffect(() => {
    if (!entry) return undefined;
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
    return () => window.clearTimeout(timer);
  }, [entry, refresh, reload]);

  return { ...answer, reload };
}
