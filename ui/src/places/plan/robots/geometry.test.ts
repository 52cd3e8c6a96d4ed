import { describe, expect, it } from "vitest";
import type { FleetMap } from "../../../api/types";
import { heightFor, knownMap, neighbour, placeAt, toX, toY, viewOf } from "./geometry";

const map: FleetMap = {
  id: "hall",
  places: [
    { id: "a", x: 0, y: 0 },
    { id: "b", x: 2, y: 0 },
    { id: "c", x: 2, y: 2 },
    { id: "d", x: 6, y: 0 },
  ],
  ways: [
    ["a", "b"],
    ["b", "a"],
    ["b", "c"],
    ["b", "d"],
  ],
  stations: {},
  chargers: [],
  parking: [],
  unreachable: [],
};

describe("geometry of the map", () => {
  const known = knownMap(map);
  it("takes the shortest way as a cell", () => expect(known.cell).toBe(2));
  it("finds the place that is drawn under a pixel, and none beside them", () => {
    const view = viewOf(known, 800, heightFor(known, 800));
    for (const place of map.places) expect(placeAt(known, view, toX(view, place.x), toY(view, place.y))).toBe(place.id);
    expect(placeAt(known, view, toX(view, 4), toY(view, 2))).toBeNull();
  });
  it("draws y upwards and everything inside", () => {
    const height = heightFor(known, 800);
    const view = viewOf(known, 800, height);
    expect(toY(view, 2)).toBeLessThan(toY(view, 0));
    for (const place of map.places) {
      expect(toX(view, place.x)).toBeGreaterThan(0);
      expect(toX(view, place.x)).toBeLessThan(800);
      expect(toY(view, place.y)).toBeGreaterThan(0);
      expect(toY(view, place.y)).toBeLessThan(height);
    }
  });
  it("goes by arrow keys to the nearest place in that direction, and stays where there is none", () => {
    expect(neighbour(known, "a", 1, 0)).toBe("b");
    expect(neighbour(known, "b", 0, 1)).toBe("c");
    expect(neighbour(known, "b", 1, 0)).toBe("d");
    expect(neighbour(known, "a", -1, 0)).toBe("a");
    expect(neighbour(known, "gone", 1, 0)).toBe("a");
  });
});
