/** Merkle trees of RFC 9162, 2.1: inclusion of several leaves at once, and consistency of two heads. */

import { Refusal } from "./refusal";

// Bytes of one's own, not of a shared buffer: WebCrypto takes only those.
export type Bytes = Uint8Array<ArrayBuffer>;

export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

export const leaf = (content: Uint8Array): Promise<Bytes> => sha256(Uint8Array.of(0), content);
const node = (left: Uint8Array, right: Uint8Array): Promise<Bytes> => sha256(Uint8Array.of(1), left, right);

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/** Root of a tree of which some leaves are shown; `hidden`: roots of the largest subtrees without one, left to right. */
export async function rootFrom(shown: Map<number, Bytes>, size: number, hidden: Bytes[]): Promise<Bytes> {
  const order = [...shown.keys()].sort((a, b) => a - b);
  if (order.length === 0 || (order[0] as number) < 0 || (order.at(-1) as number) >= size) {
    throw new Refusal("proof:path-wrong", "no leaf is shown, or one lies outside of the tree");
  }
  let used = 0;
  const subtree = async (first: number, count: number, inside: number[]): Promise<Bytes> => {
    if (inside.length === 0) {
      const found = hidden[used++];
      if (!found) throw new Refusal("proof:path-wrong", "there are fewer hashes than the tree needs");
      return found;
    }
    if (count === 1) return shown.get(first) as Bytes;
    const half = largestPowerBelow(count);
    const left = await subtree(first, half, inside.filter((i) => i < first + half));
    return node(left, await subtree(first + half, count - half, inside.filter((i) => i >= first + half)));
  };
  const root = await subtree(0, size, order);
  if (used !== hidden.length) throw new Refusal("proof:path-wrong", "there are more hashes than the tree needs");
  return root;
}

/** Whether the tree of `oldSize` leaves is the beginning of the tree of `size` (RFC 9162, 2.1.4.2). */
export async function consistent(oldSize: number, oldRoot: Bytes, size: number, root: Bytes, path: Bytes[]): Promise<boolean> {
  if (oldSize === size) return path.length === 0 && hex(oldRoot) === hex(root);
  if (!(oldSize > 0 && oldSize < size)) return false;
  const hashes = largestPowerBelow(oldSize + 1) === oldSize ? [oldRoot, ...path] : [...path];
  const seed = hashes.shift();
  if (!seed) return false;
  let [fn, sn] = [oldSize - 1, size - 1]; // halves, not shifts: sizes may exceed 32 bits
  const up = (): void => {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  };
  while (fn % 2 === 1) up();
  let [before, now] = [seed, seed];
  for (const hash of hashes) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      before = await node(hash, before);
      now = await node(hash, now);
      while (fn !== 0 && fn % 2 === 0) up();
    } else {
      now = await node(now, hash);
    }
    up();
  }
  return sn === 0 && hex(before) === hex(oldRoot) && hex(now) === hex(root);
}

/** The largest power of two below n. */
function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
