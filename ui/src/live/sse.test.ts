import { describe, expect, it } from "vitest";
import { EventParser, type ServerEvent } from "./sse";

function parse(text: string, cuts: number[]): ServerEvent[] {
  const seen: ServerEvent[] = [];
  const parser = new EventParser((event) => seen.push(event));
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    parser.push(text.slice(from, cut));
    from = cut;
  }
  return seen;
}

const STREAM = ": alive\n\nid: 7\nevent: happened\ndata: {\"a\":\ndata: 1}\n\nevent: live\ndata: {}\n\nid: 8\n\ndata: last\n\n";

describe("server-sent events", () => {
  it("reads events, ids and data of several lines; comments and empty events are nothing", () => {
    expect(parse(STREAM, [])).toEqual([
      { event: "happened", data: '{"a":\n1}', id: "7" },
      { event: "live", data: "{}", id: "7" },
      { event: "message", data: "last", id: "8" },
    ]);
  });

  it("gives the same events wherever the stream is cut", () => {
    for (let cut = 0; cut <= STREAM.length; cut += 1) expect(parse(STREAM, [cut])).toEqual(parse(STREAM, []));
  });

  it("takes the line ends of every system", () => {
    expect(parse(STREAM.replace(/\n/g, "\r\n"), [13, 14, 15])).toEqual(parse(STREAM, []));
  });
});
