import type { PublicKeyRow } from "../../proof/verifyProof";

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function isKey(row: unknown): row is PublicKeyRow {
  if (typeof row !== "object" || row === null) return false;
  const { id, party, public_key, since, revoked } = row as Record<string, unknown>;
  return isText(id) && isText(party) && isText(public_key) && isText(since) && (revoked === undefined || revoked === null || isText(revoked));
}

/** Public keys as the API lists them, or that list alone; null where the text is neither, or holds none. */
export function readKeys(text: string): PublicKeyRow[] | null {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return null;
  }
  const rows: unknown = Array.isArray(given) ? given : (given as { items?: unknown } | null)?.items;
  return Array.isArray(rows) && rows.length > 0 && rows.every(isKey) ? rows : null;
}
