import { useSyncExternalStore } from "react";

export type Appearance = "light" | "dark" | "hmi";
const KEY = "servitwin.appearance";
const listeners = new Set<() => void>();

const current = (): Appearance => (document.documentElement.getAttribute("data-appearance") as Appearance) || "light";

export function setAppearance(appearance: Appearance): void {
  const root = document.documentElement;
  root.setAttribute("data-appearance", appearance);
  root.setAttribute("data-ix-color-schema", appearance === "dark" ? "dark" : "light");
  try {
    localStorage.setItem(KEY, appearance);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

export function useAppearance(): Appearance {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
