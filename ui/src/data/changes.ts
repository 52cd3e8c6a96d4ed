/** Listeners to something that this page changes by `tell`, and the browser by an event of the window. */
export interface Changes {
  /** As `useSyncExternalStore` wants it. */
  subscribe: (listener: () => void) => () => void;
  tell: () => void;
}

export function changesWith(event: "popstate" | "storage"): Changes {
  const listeners = new Set<() => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      window.addEventListener(event, listener);
      return () => {
        listeners.delete(listener);
        window.removeEventListener(event, listener);
      };
    },
    tell() {
      for (const listener of listeners) listener();
    },
  };
}
