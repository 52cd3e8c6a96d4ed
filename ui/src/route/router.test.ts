import { describe, expect, it } from "vitest";
import { path, withQuery } from "../api/client";
import { href, parseRoute } from "./router";

describe("addresses", () => {
  it("carry the moment that everybody looks at, and nothing else of the page before", () => {
    expect(href("machines/mill-1", { span: "1h" }, "?as_of=2026-09-21T08%3A00%3A00Z&q=x")).toBe("/app/machines/mill-1?as_of=2026-09-21T08%3A00%3A00Z&span=1h");
  });

  it("name a place and its state", () => {
    const route = parseRoute("/app/machines/mill%201/trends?signals=a,b");
    expect(route.parts).toEqual(["machines", "mill 1", "trends"]);
    expect(route.params.get("signals")).toBe("a,b");
    expect(parseRoute("/elsewhere").parts).toEqual([]);
  });

  it("of the API keep odd names whole and leave empty parameters out", () => {
    expect(path`/twins/${"a/b"}/signals/${"x y"}`).toBe("/twins/a%2Fb/signals/x%20y");
    expect(withQuery("/twins", { q: "", limit: 5, cursor: null })).toBe("/twins?limit=5");
  });
});
