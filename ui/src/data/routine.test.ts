import { describe, expect, it } from "vitest";
import { askedKinds, kindsOf, kindsToKeep } from "./routine";

describe("kinds of routine, one a line", () => {
  const known = [
    { id: "shift-log", title: "Writing the shift log" },
    { id: "tools", title: "Looking for tools" },
  ];

  it("keeps the id of a line that stays, in any order", () => {
    expect(kindsOf("Looking for tools\n\n  Writing the shift log \n", known)).toEqual([known[1], known[0]]);
  });

  it("gives a new line an id of its own that no kind has", () => {
    expect(kindsOf("Tools\nTools!\nÄänekoski", known).map((kind) => kind.id)).toEqual(["tools-2", "tools-3", "a-a-nekoski"]);
    expect(kindsOf("工具\n報告", known).map((kind) => kind.id)).toEqual(["kind-1", "kind-2"]);
  });

  it("does not ask for a kind that was only said once, and makes no list of its own unless a line changes", () => {
    const told = [...known.map((kind) => ({ kind: kind.id, title: kind.title, asked: true })), { kind: "coffee", title: "coffee", asked: false }];
    expect(askedKinds(told)).toEqual(known);
    const lines = known.map((kind) => kind.title).join("\n");
    expect(kindsToKeep(lines, known, undefined)).toBeUndefined();
    expect(kindsToKeep(lines, known, known)).toEqual(known);
    expect(kindsToKeep("Looking for tools", known, undefined)).toEqual([known[1]]);
  });
});
