import { useSyncExternalStore } from "react";

export type Appearance = "light" | "dark" | "hmi";
const KEY = "servitwin.appearance";
const listeners = new Set<() => void>();

const current = (): Appearance => (document.documentElement.getAttribute("data-appearance") as Appearance) || "light";

export function setAppearance(appearance: Appearance): void {
  try {
    localStorage.setItem(KEY, appearance);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
  apply(appearance);
}

export function useAppearance(): Appearance {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}

/** The control room's theme for people at machines, unless they have chosen another one. */
export function suggestAppearance(appearance: Appearance): void {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    chosen = null;
  }
  if (chosen) return;
  apply(appearance);
}

function apply(appearance: Appearance): void {
  const root = document.documentElement;
  root.setAttribute("data-appearance", appearance);
  root.setAttribute("data-ix-color-schema", appearance === "dark" ? "dark" : "light");
  for (const listener of listeners) listener();
}
