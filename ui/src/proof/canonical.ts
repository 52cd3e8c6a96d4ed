/** Canonical JSON (RFC 8785): ECMAScript writes numbers and texts as it asks; keys are put in order here. */

import { Refusal } from "./refusal";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const DEEPEST = 200;
const HALF = /[\ud800-\udfff]/u; // with the flag u, only a surrogate without its other half
const LARGEST_FILE = 64 * 1024 * 1024;

/** The value of a canonical text; one that differs from its canonical form by one byte is refused. */
export function readCanonical(content: Uint8Array): Json {
  if (content.length > LARGEST_FILE) throw new Refusal("proof:too-large", `${content.length} bytes are more than ${LARGEST_FILE}`);
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new Refusal("proof:not-json", `this is no JSON: ${String(error)}`);
  }
  if (canonicalText(value) !== text) throw new Refusal("proof:not-canonical", "the file is not canonical JSON (RFC 8785)");
  return value;
}

/** The canonical JSON of a value. */
export function canonicalText(value: Json, depth = 0): string {
  if (depth > DEEPEST) throw new Refusal("proof:too-deep", `parts are nested deeper than ${DEEPEST}`);
  if (typeof value === "string" && HALF.test(value)) throw new Refusal("proof:not-canonical", "a text holds half a character");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item, depth + 1)).join(",")}]`;
  const members = Object.keys(value)
    .sort() // by UTF-16 code units
    .map((key) => `${canonicalText(key, depth + 1)}:${canonicalText(value[key] as Json, depth + 1)}`);
  return `{${members.join(",")}}`;
}
