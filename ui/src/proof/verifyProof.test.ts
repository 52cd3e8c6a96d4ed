import { describe, expect, it } from "vitest";
import { canonicalText, readCanonical, type Json } from "./canonical";
import { consistent, leaf, rootFrom, sha256, type Bytes } from "./merkle";
import keys from "./violated.keys.json";
import violated from "./violated.proof?raw";
import { verifyProof, type PublicKeyRow } from "./verifyProof";

// Written by tests/unit/verifier, which also checks that it is up to date.
const content = new TextEncoder().encode(violated);
const trusted = keys as PublicKeyRow[];

interface ProofFile {
  statements: { entries: Json[] };
  log: { head: { head: { made: string } }; cosigned: { path: Json[] }[] };
}

function changed(change: (file: ProofFile) => void): Uint8Array {
  const file = JSON.parse(violated) as ProofFile;
  change(file);
  return new TextEncoder().encode(canonicalText(file as unknown as Json));
}

describe("a proof file in the browser", () => {
  it("is consistent in itself, and its signers are known once keys are given", async () => {
    expect(await verifyProof(content)).toMatchObject({ ok: true, whoKnown: false, sealedBy: "maker", cosignedBy: ["plant"], logSize: 6 });
    expect(await verifyProof(content, trusted)).toMatchObject({ ok: true, whoKnown: true, statements: 6 });
  });

  it("is refused with a byte changed anywhere", async () => {
    for (let place = 0; place < content.length; place += 7) {
      const other = content.slice();
      other[place] = (other[place] as number) ^ 1;
      expect((await verifyProof(other)).ok, `byte ${place}`).toBe(false);
    }
  }, 120_000);

  it("says what is wrong", async () => {
    const wrong = async (bytes: Uint8Array, given = trusted) => (await verifyProof(bytes, given)).code;
    expect(await wrong(new TextEncoder().encode(`${violated}\n`))).toBe("proof:not-canonical");
    expect(await wrong(Uint8Array.of(0xff))).toBe("proof:not-json");
    expect(await wrong(new TextEncoder().encode("[".repeat(100_000)))).toMatch(/proof:(not-json|too-deep)/);
    expect(await wrong(new TextEncoder().encode("{}"))).toBe("proof:format-unknown");
    expect(await wrong(new TextEncoder().encode(violated.replace("M-77", "M-78")))).toBe("proof:seal-broken");
    expect(await wrong(changed((f) => { f.statements.entries.splice(2, 1); }))).toBe("proof:entry-not-in-log");
    expect(await wrong(changed((f) => { f.statements.entries.push(f.statements.entries[0] as Json); }))).toBe("proof:entry-repeated");
    expect(await wrong(changed((f) => { for (const c of f.log.cosigned) c.path = []; }))).toBe("proof:log-forked");
    expect(await wrong(changed((f) => { f.log.head.head.made = "2026-09-21T15:00:00.000000000Z"; }))).toBe("proof:signature-wrong");
    expect(await wrong(content, [{ ...(trusted[1] as PublicKeyRow) }])).toBe("proof:key-unknown");
    expect(await wrong(content, trusted.map((k) => ({ ...k, revoked: "2026-09-21T00:00:00Z" })))).toBe("proof:key-revoked");
  });
});

describe("canonical JSON", () => {
  it.each(['{"b":1,"a":1}', '{"a":1,"a":1}', '{"a":1.0}', '{"a": 1}', '"\\u0061"', '"\\ud800"', "1e2", "-0"])("refuses %s", (text) => {
    expect(() => readCanonical(new TextEncoder().encode(text))).toThrow();
  });

  it.each(['{"a":1.5,"b":[null,true,"\\n€"]}', "1e+21", "1e-7", "0.000001"])("reads %s", (text) => {
    expect(canonicalText(readCanonical(new TextEncoder().encode(text)))).toBe(text);
  });
});

describe("trees", () => {
  const mth = async (leaves: Bytes[]): Promise<Bytes> => {
    if (leaves.length === 0) return sha256();
    if (leaves.length === 1) return leaves[0] as Bytes;
    let k = 1;
    while (k * 2 < leaves.length) k *= 2;
    return sha256(Uint8Array.of(1), await mth(leaves.slice(0, k)), await mth(leaves.slice(k)));
  };

  it("has the root of RFC 6962's eight leaves", async () => {
    const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const leaves = await Promise.all(inputs.map((h) => leaf(Uint8Array.from(h.match(/../g) ?? [], (b) => Number.parseInt(b, 16)))));
    const shown = new Map(leaves.map((l, i) => [i, l]));
    const root = await rootFrom(shown, 8, []);
    expect(Array.from(root, (b) => b.toString(16).padStart(2, "0")).join("")).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    expect(await consistent(8, root, 8, await mth(leaves), [])).toBe(true);
    const first = await mth(leaves.slice(0, 4));
    expect(await consistent(4, first, 8, root, [await mth(leaves.slice(4))])).toBe(true);
    expect(await consistent(4, first, 8, root, [first])).toBe(false);
  });
});
