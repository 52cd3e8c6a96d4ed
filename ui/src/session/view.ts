import { useCallback, useMemo, useSyncExternalStore } from "react";
import { changesWith } from "../data/changes";
import { useAccount } from "./session";

/** What people changed of their views: kept in this browser, for each account by itself. */
const changes = changesWith("storage"); // another tab of the same person
/** Where storage is forbidden or full, a choice lasts as long as the page. */
const unsaved = new Map<string, string>();

function read(key: string): string {
  const held = unsaved.get(key);
  if (held !== undefined) return held;
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function write(key: string, value: string): void {
  unsaved.delete(key);
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch {
    unsaved.set(key, value);
  }
  changes.tell();
}

/** A choice of the signed-in person by name; empty: none made. */
export function useChoice(name: string): [string, (value: string) => void] {
  const { id } = useAccount();
  const key = `servitwin.view.${id}.${name}`;
  const value = useSyncExternalStore(changes.subscribe, () => read(key));
  return [value, useCallback((next: string) => write(key, next), [key])];
}

/** What the signed-in person does not want to see of a place. What comes new is seen until it is hidden. */
export function useHidden(place: string): [ReadonlySet<string>, (hidden: ReadonlySet<string>) => void] {
  const [text, keep] = useChoice(`hidden.${place}`);
  const hidden = useMemo(() => new Set(text.split(",").filter(Boolean)), [text]);
  return [hidden, useCallback((next: ReadonlySet<string>) => keep([...next].join(",")), [keep])];
}
