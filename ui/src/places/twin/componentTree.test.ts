import { expect, test } from "vitest";
import type { CaseSummary, ComponentShape } from "../../api/types";
import { componentTree } from "./componentTree";

const component = (path: string): ComponentShape => ({ path, title: path, documents: [], requirements: [], service_parts: [] });
const found = (component: string, severity: CaseSummary["severity"]) => ({ component, severity }) as CaseSummary;

test("the worst comes first, a safety case before a fault before a warning", () => {
  const tree = componentTree(["bridge", "hoist", "rope", "brake"].map(component), [], [found("rope", "safety")], [
    { component: "hoist", severity: "fault" },
    { component: "brake", severity: "warning" },
  ]);
  expect(tree.map((one) => one.path)).toEqual(["rope", "hoist", "brake", "bridge"]);
  expect(tree[0]).toMatchObject({ worst: "safety", alarms: 0 });
  expect(tree[1]).toMatchObject({ worst: null, alarms: 1, faults: 1 });
});

test("a part stays below its whole, and lifts it", () => {
  const tree = componentTree(["a", "b", "b.motor", "b.motor.fan"].map(component), [{ component: "b.motor" }], [found("b.motor.fan", "low")], []);
  expect(tree.map((one) => [one.path, one.depth])).toEqual([["b", 0], ["b.motor", 1], ["b.motor.fan", 2], ["a", 0]]);
  expect(tree[1]?.signals).toBe(1);
});

test("a part whose whole is not described hangs on the nearest one that is", () => {
  const tree = componentTree(["axis", "axis.drive.motor", "lost.part"].map(component), [], [], []);
  expect(tree.map((one) => [one.path, one.depth])).toEqual([["axis", 0], ["axis.drive.motor", 1], ["lost.part", 0]]);
});
