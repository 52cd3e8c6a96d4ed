/// <reference lib="webworker" />
import { Connection, EVERYTHING, type LiveChange, type Status } from "./connection";
import type { FromWorker, ToWorker } from "./protocol";

/** Shared by all tabs of a browser: one event stream, each tab gets what it follows. */
const FLUSH_MS = 50;
const tabs = new Map<MessagePort, Set<string>>();
let status: Status = "connecting";
let waiting: LiveChange[] = [];
let flushing = false;

const say = (port: MessagePort, message: FromWorker): void => port.postMessage(message);

const connection = new Connection({
  status(next) {
    status = next;
    for (const port of tabs.keys()) say(port, { is: "status", status });
  },
  live(change) {
    waiting.push(change);
    if (flushing) return;
    flushing = true;
    setTimeout(flush, FLUSH_MS);
  },
  happened(event) {
    for (const port of tabs.keys()) say(port, { is: "happened", event });
  },
  resync() {
    for (const port of tabs.keys()) say(port, { is: "resync" });
  },
});

function flush(): void {
  flushing = false;
  const changes = waiting;
  waiting = [];
  for (const [port, twins] of tabs) {
    const mine = twins.has(EVERYTHING) ? changes : changes.filter((c) => twins.has(c.twin));
    if (mine.length) say(port, { is: "live", changes: mine });
  }
}

function followAll(): void {
  const union = new Set<string>();
  for (const twins of tabs.values()) for (const twin of twins) union.add(twin);
  if (tabs.size) connection.follow(union);
  else connection.close();
}

(self as unknown as SharedWorkerGlobalScope).onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  tabs.set(port, new Set());
  say(port, { is: "status", status });
  port.onmessage = (message: MessageEvent<ToWorker>) => {
    const asked = message.data;
    if (asked.do === "follow") tabs.set(port, new Set(asked.twins));
    else if (asked.do === "bye") tabs.delete(port);
    else return connection.retry();
    followAll();
  };
  port.start();
};
