import { describe, expect, it } from "vitest";
import { columnsOf } from "./layout";

const link = (source: string, target: string) => ({ source, target, event: `${source}>${target}` });

describe("columns of a genealogy", () => {
  it("puts what went in before the object and what it went into behind it, each once", () => {
    const { nodes, columns } = columnsOf({ object: { id: "p" }, up: [link("b", "p"), link("t", "p"), link("ore", "b")], down: [link("p", "box")] });
    expect(columns).toBe(4);
    expect(nodes.map((n) => [n.id, n.column])).toEqual([["ore", 0], ["b", 1], ["t", 1], ["p", 2], ["box", 3]]);
  });
  it("ends a long column in a count", () => {
    const { nodes, rows } = columnsOf({ object: { id: "b" }, up: [], down: Array.from({ length: 40 }, (_, i) => link("b", `p${String(i).padStart(2, "0")}`)) });
    expect(rows).toBe(8);
    expect(nodes.at(-1)).toMatchObject({ more: 33, column: 1 });
  });
  it("does not go round in a circle", () => {
    const { nodes } = columnsOf({ object: { id: "a" }, up: [link("b", "a")], down: [link("a", "b")] });
    expect(nodes.map((n) => n.id).sort()).toEqual(["a", "b"]);
  });
});
