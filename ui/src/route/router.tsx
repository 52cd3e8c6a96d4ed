import { type AnchorHTMLAttributes, type MouseEvent, type ReactNode, useCallback, useMemo, useSyncExternalStore } from "react";
import { changesWith } from "../data/changes";

/** URL = state: the path names the place, the query holds filters, window, selection and the "as of" moment. */
const BASE = "/app/";
const KEPT = ["as_of"];
const changes = changesWith("popstate");

export interface Route {
  parts: string[];
  params: URLSearchParams;
}

const here = (): string => window.location.pathname + window.location.search;

export function parseRoute(address: string): Route {
  const [path = "", search = ""] = address.split("?", 2);
  const inside = path.startsWith(BASE) ? path.slice(BASE.length) : "";
  const parts = inside.split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, params: new URLSearchParams(search) };
}

export function useRoute(): Route {
  const address = useSyncExternalStore(changes.subscribe, here);
  return useMemo(() => parseRoute(address), [address]);
}

/** Address of a place; the moment that everybody looks at goes with it. */
export function href(place: string, params: Record<string, string> = {}, current = window.location.search): string {
  const next = new URLSearchParams();
  const now = new URLSearchParams(current);
  for (const key of KEPT) {
    const value = now.get(key);
    if (value) next.set(key, value);
  }
  for (const [key, value] of Object.entries(params)) if (value) next.set(key, value);
  const search = next.toString();
  return BASE + place + (search ? `?${search}` : "");
}

export function go(address: string, replace = false): void {
  if (address === here()) return;
  if (replace) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  changes.tell();
}

/** One query parameter as state; an empty value removes it. */
export function useParam(name: string, fallback = ""): [string, (value: string, replace?: boolean) => void] {
  const { params } = useRoute();
  const value = params.get(name) ?? fallback;
  const set = useCallback(
    (next: string, replace = true) => setParams({ [name]: next === fallback ? "" : next }, replace),
    [name, fallback],
  );
  return [value, set];
}

export function setParams(changes: Record<string, string>, replace = true): void {
  const params = new URLSearchParams(window.location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value) params.set(key, value);
    else params.delete(key);
  }
  const search = params.toString();
  go(window.location.pathname + (search ? `?${search}` : ""), replace);
}

/** Whether a click should stay in the page rather than open a new tab or window. */
export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  place: string;
  params?: Record<string, string>;
  children: ReactNode;
}

export function Link({ place, params, children, ...rest }: LinkProps) {
  useRoute();
  const address = href(place, params);
  return (
    <a
      {...rest}
      href={address}
      onClick={(event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        go(address);
      }}
    >
      {children}
    </a>
  );
}
