import { useSyncExternalStore } from "react";

/** The instant under the pointer, shared by all charts of a page. */
let at: number | null = null;
const listeners = new Set<() => void>();

export function setCursor(next: number | null): void {
  if (next === at) return;
  at = next;
  for (const listener of listeners) listener();
}

export function useCursor(): number | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => at,
  );
}
