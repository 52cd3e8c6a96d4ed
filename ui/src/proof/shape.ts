/** Reading parts of a file that a stranger wrote: each is what it should be, or the file is refused by name. */

import type { Json } from "./canonical";
import type { Bytes } from "./merkle";
import { Refusal } from "./refusal";

export type Table = { [key: string]: Json };

function wrong(where: string, what: string): never {
  throw new Refusal("proof:wrong-shape", `this is not ${what}`, where);
}

export function table(value: Json | undefined, where: string): Table {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return wrong(where, "an object");
  return value;
}

export function list(value: Json | undefined, where: string): Json[] {
  return Array.isArray(value) ? value : wrong(where, "a list");
}

export function text(value: Json | undefined, where: string): string {
  return typeof value === "string" ? value : wrong(where, "a text");
}

export function whole(value: Json | undefined, where: string): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : wrong(where, "a whole number");
}

export function hash(value: Json | undefined, where: string): Bytes {
  const found = text(value, where);
  if (!/^[0-9a-f]{64}$/.test(found)) wrong(where, "a SHA-256 hash in lower-case hex");
  return Uint8Array.from(found.match(/../g) as string[], (pair) => Number.parseInt(pair, 16));
}

export function hashes(value: Json | undefined, where: string): Bytes[] {
  return list(value, where).map((one) => hash(one, where));
}

/** Bytes in base64, written the one right way. */
export function binary(value: Json | undefined, where: string): Bytes {
  const found = text(value, where);
  let raw: string;
  try {
    raw = atob(found);
  } catch {
    return wrong(where, "base64");
  }
  if (btoa(raw) !== found) wrong(where, "base64 written the one right way");
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** Nanoseconds of an RFC 3339 time in UTC. */
export function instant(value: Json | undefined, where: string): bigint {
  const found = TIME.exec(text(value, where));
  const seconds = found ? Date.parse(`${found[1]}Z`) / 1000 : Number.NaN;
  if (!found || Number.isNaN(seconds)) return wrong(where, "a time like 2026-09-21T08:15:00.250000000Z");
  return BigInt(seconds) * 1_000_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}
