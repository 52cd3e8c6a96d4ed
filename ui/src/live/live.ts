import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Connection, EVERYTHING, type Happened, type LiveChange, type LiveValue, type Status } from "./connection";
import { reloadAll } from "../data/query";
import type { FromWorker, ToWorker } from "./protocol";

/** A page's end of the event stream: a shared worker where the browser has one, else a stream of its own. */
interface Line {
  tell(message: ToWorker): void;
}

type OnLive = (changes: LiveChange[]) => void;
type OnHappened = (event: Happened) => void;

const followers = new Map<OnLive, readonly string[]>();
const hearers = new Set<OnHappened>();
const statusListeners = new Set<() => void>();
let status: Status = "connecting";
let line: Line | null = null;

function receive(message: FromWorker): void {
  if (message.is === "live") for (const [tell, twins] of followers) deliver(tell, twins, message.changes);
  else if (message.is === "happened") for (const tell of hearers) tell(message.event);
  else if (message.is === "resync") reloadAll();
  else {
    status = message.status;
    for (const tell of statusListeners) tell();
  }
}

function deliver(tell: OnLive, twins: readonly string[], changes: LiveChange[]): void {
  const mine = twins.includes(EVERYTHING) ? changes : changes.filter((c) => twins.includes(c.twin));
  if (mine.length) tell(mine);
}

function openLine(): Line {
  if (typeof SharedWorker === "function") {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "servitwin-live" });
    worker.port.onmessage = (event: MessageEvent<FromWorker>) => receive(event.data);
    worker.port.start();
    window.addEventListener("pagehide", () => worker.port.postMessage({ do: "bye" } satisfies ToWorker));
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) update();
    });
    return { tell: (message) => worker.port.postMessage(message) };
  }
  const connection = new Connection({
    status: (next) => receive({ is: "status", status: next }),
    live: (change) => receive({ is: "live", changes: [change] }),
    happened: (event) => receive({ is: "happened", event }),
    resync: () => receive({ is: "resync" }),
  });
  return {
    tell(message) {
      if (message.do === "follow") connection.follow(new Set(message.twins));
      else if (message.do === "retry") connection.retry();
      else connection.close();
    },
  };
}

function update(): void {
  line ??= openLine();
  const union = new Set<string>();
  for (const twins of followers.values()) for (const twin of twins) union.add(twin);
  line.tell({ do: "follow", twins: [...union] });
}

/** Try the stream again now (after signing in, or when a person asks for it). */
export function retryLive(): void {
  line?.tell({ do: "retry" });
}

export function useLiveStatus(): Status {
  return useSyncExternalStore(
    (listener) => {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    () => status,
  );
}

/** Calls back with every change of these twins; `null` follows none (a page that looks at the past). */
export function useLiveChanges(twins: readonly string[] | null, tell: OnLive): void {
  const latest = useRef(tell);
  useEffect(() => {
    latest.current = tell;
  });
  const key = twins === null ? null : twins.join(",");
  useEffect(() => {
    if (key === null || key === "") return undefined;
    const call: OnLive = (changes) => latest.current(changes);
    followers.set(call, key.split(","));
    update();
    return () => {
      followers.delete(call);
      update();
    };
  }, [key]);
}

export function useHappened(tell: OnHappened): void {
  const latest = useRef(tell);
  useEffect(() => {
    latest.current = tell;
  });
  useEffect(() => {
    const call: OnHappened = (event) => latest.current(event);
    hearers.add(call);
    update();
    return () => {
      hearers.delete(call);
    };
  }, []);
}

/** The newest live values of one twin since the page was opened. */
export function useLiveValues(twin: string | null): Record<string, LiveValue> {
  const [held, setHeld] = useState<{ twin: string | null; values: Record<string, LiveValue> }>({ twin, values: {} });
  useLiveChanges(twin === null ? null : [twin], (changes) => {
    setHeld((before) => {
      const values = before.twin === twin ? { ...before.values } : {};
      for (const change of changes) Object.assign(values, change.values);
      return { twin, values };
    });
  });
  return held.twin === twin ? held.values : EMPTY;
}

const EMPTY: Record<string, LiveValue> = {};
export { EVERYTHING };
