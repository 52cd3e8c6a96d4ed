import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type Happened, type LiveChange, type Status } from "./connection";

interface Call {
  address: string;
  headers: Record<string, string>;
}

/** Streams that the test feeds and ends; every request is noted. */
class Server {
  readonly calls: Call[] = [];
  private streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  refuse = 0;

  fetch = (address: string, init: RequestInit): Promise<Response> => {
    this.calls.push({ address, headers: init.headers as Record<string, string> });
    if (this.refuse) return Promise.resolve(new Response("{}", { status: this.refuse }));
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void this.streams.push(controller) });
    return Promise.resolve(new Response(body, { status: 200 }));
  };

  send(text: string): void {
    this.streams.at(-1)?.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.streams.at(-1)?.close();
  }
}

describe("the event stream", () => {
  let server: Server;
  let statuses: Status[];
  let changes: LiveChange[];
  let events: Happened[];
  let connection: Connection;
  let resyncs: number;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new Server();
    vi.stubGlobal("fetch", server.fetch);
    [statuses, changes, events, resyncs] = [[], [], [], 0];
    connection = new Connection({
      status: (s) => void statuses.push(s),
      live: (c) => void changes.push(c),
      happened: (e) => void events.push(e),
      resync: () => void (resyncs += 1),
    });
  });
  afterEach(() => {
    connection.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("gathers what pages follow into one stream", async () => {
    connection.follow(new Set(["mill-1"]));
    connection.follow(new Set(["mill-1", "crane-1"]));
    await vi.advanceTimersByTimeAsync(200);
    expect(server.calls).toHaveLength(1);
    expect(server.calls[0]?.address).toBe("/api/v1/events?topics=live,happened&twins=crane-1%2Cmill-1");
  });

  it("hands on values and events, and resumes after the last one it saw", async () => {
    connection.follow(new Set(["*"]));
    await vi.advanceTimersByTimeAsync(200);
    server.send('event: live\ndata: {"twin":"mill-1","values":{"load":[1,2,0,1]}}\n\nid: 41\nevent: happened\ndata: {"id":41,"kind":"level.changed"}\n\n');
    await vi.advanceTimersByTimeAsync(10);
    expect(changes[0]?.values.load?.[1]).toBe(2);
    expect(events[0]?.kind).toBe("level.changed");
    server.end();
    await vi.advanceTimersByTimeAsync(5000);
    expect(statuses).toEqual(["open", "lost", "open"]);
    expect(server.calls[1]?.headers["Last-Event-ID"]).toBe("41");
  });

  it("waits longer after each failure, and says when nobody is signed in", async () => {
    server.refuse = 503;
    connection.follow(new Set(["*"]));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.calls.length).toBeGreaterThan(3);
    expect(server.calls.length).toBeLessThan(12);
    server.refuse = 401;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(statuses.at(-1)).toBe("refused");
    const calls = server.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.calls).toHaveLength(calls);
  });

  it("takes a silent stream for dead", async () => {
    connection.follow(new Set(["*"]));
    await vi.advanceTimersByTimeAsync(200);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(statuses).toContain("lost");
  });

  it("tells when everything must be read anew, and when the session has ended", async () => {
    connection.follow(new Set(["*"]));
    await vi.advanceTimersByTimeAsync(200);
    server.send("event: resync\ndata: {}\n\nevent: signed-out\ndata: {}\n\n");
    await vi.advanceTimersByTimeAsync(10);
    expect(resyncs).toBe(1);
    expect(statuses.at(-1)).toBe("refused");
  });
});
