/** Server-sent events (WHATWG HTML, section 9.2.6) read from a fetch body, so that headers can be sent along. */

export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/** Cuts a text that arrives in pieces into events. */
export class EventParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;
  private readonly emit: (event: ServerEvent) => void;

  constructor(emit: (event: ServerEvent) => void) {
    this.emit = emit;
  }

  push(piece: string): void {
    this.rest += piece;
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") {
      if (this.data.length) this.emit({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
      this.event = "";
      this.data = [];
      return;
    }
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
  }
}
