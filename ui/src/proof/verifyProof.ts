/**
 * A proof file checked in the browser: its form, its seal, every signature and key, and that all statements are in one
 * log which continues the heads that others co-signed. The observations and the formula are not checked here: that does
 * `servitwin verify FILE`. Formats: docs/concepts/evidence.md.
 */

import { canonicalText, readCanonical, type Json } from "./canonical";
import { consistent, hex, leaf, rootFrom, sha256, type Bytes } from "./merkle";
import { Refusal } from "./refusal";
import { binary, hash, hashes, instant, list, table, text, whole, type Table } from "./shape";

/** A public key as `GET /api/v1/parties/{party}/keys` gives it. */
export interface PublicKeyRow {
  id: string;
  party: string;
  public_key: string;
  since: string;
  revoked?: string | null;
}

/** What the sealed file says; a check in the browser shows that it was said, not that it is true. */
export interface ProofClaim {
  kind: string;
  machine: string;
  serial: string;
  requirement: string;
  verdict: string;
  from: string;
  to: string;
}

export interface ProofCheck {
  ok: boolean;
  /** null where the file is refused. */
  claim: ProofClaim | null;
  /** Whether the signers are known from keys that the reader brought. */
  whoKnown: boolean;
  statements: number;
  logSize: number;
  sealedBy: string;
  cosignedBy: string[];
  /** Of the refusal, where one was. */
  code: string;
  message: string;
  where: string;
}

interface Key {
  id: string;
  party: string;
  key: CryptoKey;
  since: bigint;
  known: boolean;
  revoked: bigint | null;
  revokedAt: number | null;
}

interface Statement {
  index: number;
  entry: Table;
  content: Table;
  kind: string;
  by: string;
  made: bigint;
  body: Table;
  key: string;
}

const REFUSED: ProofCheck = { ok: false, claim: null, whoKnown: false, statements: 0, logSize: 0, sealedBy: "", cosignedBy: [], code: "", message: "", where: "" };
const encode = (value: string): Bytes => new TextEncoder().encode(value);

/** Check a proof file; it never throws for what the file holds. */
export async function verifyProof(content: Uint8Array, trusted: PublicKeyRow[] = []): Promise<ProofCheck> {
  try {
    return await check(table(readCanonical(content), "file"), trusted);
  } catch (error) {
    if (error instanceof Refusal) return { ...REFUSED, code: error.code, message: error.message, where: error.where };
    if (error instanceof RangeError) return { ...REFUSED, code: "proof:too-deep", message: "parts are nested too deep" };
    throw error;
  }
}

async function check(file: Table, trusted: PublicKeyRow[]): Promise<ProofCheck> {
  if (file.proof !== "servitwin-proof@1") throw new Refusal("proof:format-unknown", "this page reads servitwin-proof@1 alone", "proof");
  const log = table(file.log, "log");
  const head = readHead(log.head, "log.head");
  const statements = await readStatements(table(file.statements, "statements"), head);
  const ring = new KeyRing(await trustedKeys(trusted));
  for (const s of statements) if (s.kind === "key") await ring.add(s);
  for (const s of statements) if (s.kind === "key-revoked") ring.revoke(s);
  for (const s of statements) await ring.checkStatement(s);
  const first = statements[0];
  if (!first || first.index !== 0 || first.kind !== "key" || first.key !== head.log || first.body.key !== head.log) {
    throw new Refusal("proof:log-other", "entry 0 is not shown, or is not the key that names the log", "log");
  }
  await checkHead(head, first.by, ring, "log.head");
  const cosignedBy = new Set<string>();
  for (const given of list(log.cosigned, "log.cosigned")) {
    for (const party of await checkCosigned(table(given, "log.cosigned"), head, first.by, ring)) cosignedBy.add(party);
  }
  const sealedBy = await checkSeal(file, head.made, ring);
  return {
    ...REFUSED, ok: true, claim: readClaim(file), whoKnown: trusted.length > 0, statements: statements.length, logSize: head.size, sealedBy,
    cosignedBy: [...cosignedBy].sort(),
  };
}

function readClaim(file: Table): ProofClaim {
  const claim = table(file.claim, "claim");
  const machine = table(file.machine, "machine");
  const requirement = table(file.requirement, "requirement");
  const words = text(requirement.text, "requirement") || text(requirement.name, "requirement");
  return {
    kind: text(claim.kind, "claim"), machine: text(machine.title, "machine") || text(machine.id, "machine"),
    serial: text(machine.serial, "machine"), requirement: words, verdict: text(claim.verdict, "claim"),
    from: text(claim.from, "claim"), to: text(claim.to, "claim"),
  };
}

interface Head {
  log: string;
  size: number;
  root: Bytes;
  made: bigint;
  inner: Table;
  key: string;
  signature: Json | undefined;
}

function readHead(value: Json | undefined, where: string): Head {
  const row = table(value, where);
  const inner = table(row.head, where);
  return {
    log: text(inner.log, where), size: whole(inner.size, where), root: hash(inner.root, where), made: instant(inner.made, where),
    inner, key: text(row.key, where), signature: row.signature,
  };
}

async function readStatements(value: Table, head: Head): Promise<Statement[]> {
  const found: Statement[] = [];
  const shown = new Map<number, Bytes>();
  for (const given of list(value.entries, "statements.entries")) {
    const row = table(given, "statements.entries");
    const index = whole(row.index, "statements.entries");
    if (index <= (found.at(-1)?.index ?? -1)) throw new Refusal("proof:entry-repeated", `entry ${index} is repeated or out of order`);
    const where = `entry ${index}`;
    const entry = table(row.entry, where);
    const content = table(entry.content, where);
    found.push({
      index, entry, content, kind: text(content.kind, where), by: text(content.by, where), made: instant(content.made, where),
      body: table(content.body, where), key: text(entry.key, where),
    });
    shown.set(index, await leaf(encode(canonicalText(entry))));
  }
  const root = await rootFrom(shown, head.size, hashes(value.hashes, "statements.hashes")).catch((error: unknown) => {
    if (error instanceof Refusal) throw new Refusal("proof:entry-not-in-log", error.message, "statements");
    throw error;
  });
  if (hex(root) !== hex(head.root)) {
    throw new Refusal("proof:entry-not-in-log", "an entry was changed, dropped, moved or added", "statements");
  }
  return found;
}

async function checkHead(head: Head, owner: string, ring: KeyRing, where: string): Promise<void> {
  const key = await ring.check(head.key, head.signature, "tree-head", head.inner, head.made, where);
  if (key.party !== owner) throw new Refusal("proof:signature-wrong", `the head of ${owner}'s log is signed by ${key.party}`, where);
}

async function checkCosigned(given: Table, head: Head, owner: string, ring: KeyRing): Promise<string[]> {
  const where = "log.cosigned";
  const old = readHead(given.head, where);
  await checkHead(old, owner, ring, where);
  if (old.log !== head.log || !(await consistent(old.size, old.root, head.size, head.root, hashes(given.path, where)))) {
    throw new Refusal("proof:log-forked", `the co-signed head of ${old.size} entries is not the beginning of the head of ${head.size}`, where);
  }
  const parties: string[] = [];
  for (const signed of list(given.by, where)) {
    const one = table(signed, where);
    const key = await ring.check(text(one.key, where), one.signature, "cosign", old.inner, old.made, where, true);
    if (key.party !== one.party || key.party === owner) {
      throw new Refusal("proof:signature-wrong", `a co-signature of ${text(one.party, where)} is that of ${key.party}`, where);
    }
    parties.push(key.party);
  }
  return parties;
}

async function checkSeal(file: Table, made: bigint, ring: KeyRing): Promise<string> {
  const seal = table(file.seal, "seal");
  const sealed = Object.fromEntries(Object.entries(file).filter(([name]) => name !== "seal"));
  try {
    return (await ring.check(text(seal.key, "seal"), seal.signature, "proof", sealed, made, "seal")).party;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "proof:signature-wrong") throw error;
    throw new Refusal("proof:seal-broken", "the file was changed after it was sealed", "seal");
  }
}

/** All keys that the file states, judged by those that the reader brought. */
class KeyRing {
  private readonly keys = new Map<string, Key>();

  constructor(private readonly trusted: Map<string, Key>) {}

  async add(statement: Statement): Promise<void> {
    const { body, by, key: signer } = statement;
    const where = `entry ${statement.index} (key)`;
    const key = await readKey(text(body.key, where), text(body.party, where), body.public_key, instant(body.since, where), where);
    const before = [...this.keys.values()].filter((k) => k.party === key.party);
    if (this.keys.has(key.id)) throw new Refusal("proof:key-wrong", `key ${key.id} is stated twice`, where);
    if (key.party !== by || (before.length > 0 && !before.some((k) => k.id === signer))) {
      throw new Refusal("proof:key-wrong", `no earlier key of ${key.party} signed for its key ${key.id}`, where);
    }
    const mine = this.trusted.get(key.id);
    if (mine && mine.party !== key.party) throw new Refusal("proof:key-wrong", `key ${key.id} is that of ${mine.party}`, where);
    key.known = mine !== undefined || before.some((k) => k.id === signer && k.known);
    key.revoked = mine?.revoked ?? null;
    this.keys.set(key.id, key);
  }

  revoke(statement: Statement): void {
    const where = `entry ${statement.index} (key-revoked)`;
    const key = this.keys.get(text(statement.body.key, where));
    if (!key) return; // a key that nothing here is signed with
    if (key.party !== statement.by || statement.body.party !== key.party) {
      throw new Refusal("proof:key-wrong", `${statement.by} revokes a key of ${key.party}`, where);
    }
    const since = instant(statement.body.from, where);
    key.revoked = key.revoked === null || since < key.revoked ? since : key.revoked;
    key.revokedAt = Math.min(key.revokedAt ?? statement.index, statement.index);
  }

  async checkStatement(s: Statement): Promise<void> {
    const where = `entry ${s.index} (${s.kind})`;
    if (s.content.statement !== "servitwin-statement@1") throw new Refusal("proof:wrong-shape", "this is no statement", where);
    const key = await this.check(s.key, s.entry.signature, "statement", s.content, s.made, where);
    if (key.party !== s.by) throw new Refusal("proof:signature-wrong", `${s.by} is named, but ${key.party} signed`, where);
    if (key.revokedAt !== null && s.index > key.revokedAt) {
      throw new Refusal("proof:key-revoked", `key ${key.id} had been revoked in entry ${key.revokedAt}`, where);
    }
  }

  async check(
    named: string, signature: Json | undefined, purpose: string, signed: Table, made: bigint, where: string, strangers = false,
  ): Promise<Key> {
    const key = this.keys.get(named) ?? this.trusted.get(named);
    if (!key) throw new Refusal("proof:key-unknown", `key ${named} is not stated in the file`, where);
    if (this.trusted.size > 0 && !key.known && !strangers) {
      throw new Refusal("proof:key-unknown", `none of the keys given is ${named}, or signed for it`, where);
    }
    if (made < key.since) throw new Refusal("proof:key-unknown", `key ${named} was not in use yet`, where);
    if (key.revoked !== null && made >= key.revoked) throw new Refusal("proof:key-revoked", `key ${named} is revoked`, where);
    const digest = hex(await sha256(encode(canonicalText(signed))));
    const under = encode(`servitwin ${purpose} sha256:${digest}`);
    if (!(await crypto.subtle.verify("Ed25519", key.key, binary(signature, where), under))) {
      throw new Refusal("proof:signature-wrong", `the signature of ${key.party} does not stand under this ${purpose}`, where);
    }
    return key;
  }
}

async function readKey(id: string, party: string, encoded: Json | undefined, since: bigint, where: string): Promise<Key> {
  const raw = binary(encoded, where);
  if (raw.length !== 32 || hex(await sha256(raw)).slice(0, 32) !== id) {
    throw new Refusal("proof:key-wrong", `${id} is not the id of this key`, where);
  }
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return { id, party, key, since, known: false, revoked: null, revokedAt: null };
}

async function trustedKeys(rows: PublicKeyRow[]): Promise<Map<string, Key>> {
  const found = new Map<string, Key>();
  for (const row of rows) {
    const key = await readKey(row.id, row.party, row.public_key, instant(row.since, "keys"), "keys");
    found.set(row.id, { ...key, known: true, revoked: row.revoked ? instant(row.revoked, "keys") : null });
  }
  return found;
}
