import { describe, expect, it } from "vitest";
import type { ControllerSummary } from "../../api/types";
import { controllersOf } from "./Controllers";

const one = (name: string, version: number, machine_type: string, twin = ""): ControllerSummary => ({
  name, version, reference: `${name}@${version}`, title: "", machine_type, twin, at: "2026-01-01T00:00:00Z", by: "anna", properties: 1, proven: null, violated: null, not_settled: null,
});

describe("controllers of a machine", () => {
  const all = [one("door", 1, "mill-500"), one("door", 10, "mill-500"), one("door", 2, "mill-500"), one("hoist", 1, "crane-12"), one("coolant", 1, "", "mill-1"), one("lamp", 1, "", "mill-2"), one("axis", 1, "mill-50")];
  const shown = (twin: { id: string; type: string | null }): string[][] => controllersOf(twin, all).map((versions) => versions.map((v) => v.reference));

  it("are those of its type in any version and its own, the newest version first", () => {
    expect(shown({ id: "mill-1", type: "mill-500@3" })).toEqual([["coolant@1"], ["door@10", "door@2", "door@1"]]);
  });

  it("are its own alone where it has no type", () => {
    expect(shown({ id: "mill-2", type: null })).toEqual([["lamp@1"]]);
    expect(shown({ id: "box", type: null })).toEqual([]);
  });
});
