import { describe, expect, it } from "vitest";
import keys from "../../proof/violated.keys.json";
import { readKeys } from "./readKeys";

describe("a file of public keys", () => {
  it("is a list of keys, or the API's answer around one", () => {
    expect(readKeys(JSON.stringify(keys))).toEqual(keys);
    expect(readKeys(JSON.stringify({ items: keys, next: null }))).toEqual(keys);
  });

  it("is refused where anything else stands, so that nobody believes in keys that are not used", () => {
    for (const text of ["", "{", "null", "7", "[]", "{}", '{"items": {}}', '["key"]', JSON.stringify([{ ...keys[0], party: 1 }]), JSON.stringify([...keys, null])]) {
      expect(readKeys(text), text).toBeNull();
    }
  });
});
