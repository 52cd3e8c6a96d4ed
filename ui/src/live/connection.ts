import { EventParser, type ServerEvent } from "./sse";

/** A value as it travels: [time ns, value, quality, received ns]. */
export type LiveValue = [number, number | string | boolean | null, number, number];

export interface LiveChange {
  twin: string;
  uid?: string;
  values: Record<string, LiveValue>;
}

export interface Happened {
  id: number;
  kind: string;
  subject: string;
  at: string;
  data: Record<string, unknown>;
}

export type Status = "connecting" | "open" | "lost" | "refused";

export interface Sink {
  status(status: Status): void;
  live(change: LiveChange): void;
  happened(event: Happened): void;
  /** Events were missed that cannot be told any more: what is shown must be read anew. */
  resync(): void;
}

const SILENT_FOR_MS = 45_000;
const SETTLE_MS = 120;
export const EVERYTHING = "*";

/** The one event stream of a browser: reconnects with a growing pause and resumes after the last event it saw. */
export class Connection {
  private readonly sink: Sink;
  private readonly base: string;
  private wanted = "";
  private lastId: string | null = null;
  private running: AbortController | null = null;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;

  constructor(sink: Sink, base = "") {
    this.sink = sink;
    this.base = base;
  }

  /** Follow these twins (ids, or EVERYTHING); changes are gathered for a moment before the stream is renewed. */
  follow(twins: ReadonlySet<string>): void {
    const wanted = twins.has(EVERYTHING) ? EVERYTHING : [...twins].sort().join(",");
    if (wanted === this.wanted && this.running) return;
    this.wanted = wanted;
    this.schedule(SETTLE_MS);
  }

  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    this.running?.abort();
    this.running = null;
  }

  /** Connect at once, without waiting for the pause after a failure to end. */
  retry(): void {
    this.schedule(0);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), ms);
  }

  private address(): string {
    const topics = this.wanted ? "live,happened" : "happened";
    const twins = this.wanted && this.wanted !== EVERYTHING ? `&twins=${encodeURIComponent(this.wanted)}` : "";
    return `${this.base}/api/v1/events?topics=${topics}${twins}`;
  }

  private async run(): Promise<void> {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
      const answer = await fetch(this.address(), { headers, credentials: "same-origin", signal: running.signal });
      if (answer.status === 401 || answer.status === 403) {
        this.sink.status("refused");
        return;
      }
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      this.failures = 0;
      this.sink.status("open");
      await this.read(answer.body, running);
      throw new Error("stream ended");
    } catch {
      if (this.running !== running) return;
      this.failures += 1;
      this.sink.status("lost");
      this.schedule(Math.min(15_000, 500 * 2 ** Math.min(this.failures, 5)) * (0.75 + Math.random() / 2));
    }
  }

  private async read(body: ReadableStream<Uint8Array>, running: AbortController): Promise<void> {
    const parser = new EventParser((event) => this.dispatch(event));
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      // A stream without even a keep-alive comment is dead, though nothing on the way says so.
      clearTimeout(this.watch);
      this.watch = setTimeout(() => void reader.cancel(), SILENT_FOR_MS);
      const { done, value } = await reader.read();
      clearTimeout(this.watch);
      if (done || running.signal.aborted) return;
      parser.push(decoder.decode(value, { stream: true }));
    }
  }

  private dispatch(event: ServerEvent): void {
    if (event.id !== null && event.id !== "") this.lastId = event.id;
    if (event.event === "resync") return this.sink.resync();
    if (event.event === "signed-out") {
      this.close();
      return this.sink.status("refused");
    }
    const body = JSON.parse(event.data) as unknown;
    if (event.event === "live") for (const change of asList(body)) this.sink.live(change as LiveChange);
    else if (event.event === "happened") this.sink.happened(body as Happened);
  }
}

function asList(body: unknown): unknown[] {
  if (Array.isArray(body)) return body as unknown[];
  if (body && typeof body === "object" && "twins" in body && Array.isArray(body.twins)) return body.twins as unknown[];
  return [body];
}
