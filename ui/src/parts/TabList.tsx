import { useEffect, useRef } from "react";
import { go, href } from "../route/router";

interface TabListProps<Tab extends string> {
  /** Address of the page; the first tab has no part of its own. */
  base: string;
  tabs: readonly Tab[];
  titles: Readonly<Record<Tab, string>>;
  current: Tab;
}

/** Tabs that are links: each has its own address, arrow keys move between them. */
export function TabList<Tab extends string>({ base, tabs, titles, current }: TabListProps<Tab>) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const row = list.current;
    const tab = row?.querySelector<HTMLElement>('[aria-selected="true"]');
    // On a narrow screen the row scrolls: the chosen tab is seen, and the page stays where it is.
    if (row && tab) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }, [current]);
  const address = (tab: Tab): string => href(tab === tabs[0] ? base : `${base}/${tab}`);
  const move = (step: number): void => {
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    go(address(next));
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" ref={list}>
      {tabs.map((tab) => (
        <a
          key={tab}
          id={`tab-${tab}`}
          role="tab"
          aria-selected={tab === current}
          tabIndex={tab === current ? 0 : -1}
          href={address(tab)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.button !== 0) return;
            event.preventDefault();
            go(address(tab));
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") move(1);
            else if (event.key === "ArrowLeft") move(-1);
          }}
        >
          {titles[tab]}
        </a>
      ))}
    </div>
  );
}
