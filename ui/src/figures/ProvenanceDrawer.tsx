import { type ReactNode, useEffect, useRef } from "react";
import { get } from "../api/client";
import type { Provenance } from "../api/types";
import { useQuery } from "../data/query";
import { Time } from "../parts/Clock";
import { Facts } from "../parts/Card";
import { Loaded } from "../parts/Feedback";
import { setParams, useRoute } from "../route/router";
import { t } from "../texts/en";
import { copyLink } from "../shell/notify";

const close = (): void => setParams({ why: "", why_title: "", why_value: "" }, false);

/** Where the figure in the address came from: rule and version, inputs, interval, cut, observations. */
export function ProvenanceDrawer() {
  const { params } = useRoute();
  const url = params.get("why") ?? "";
  // The address may have been typed by anybody: only our own API is ever asked.
  if (!url.startsWith("/api/v1/")) return null;
  return <Drawer url={url} title={params.get("why_title") ?? ""} shown={params.get("why_value") ?? ""} />;
}

function Drawer({ url, title, shown }: { url: string; title: string; shown: string }) {
  const answer = useQuery(`why ${url}`, (signal) => get<Provenance>(url, {}, signal));
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") close();
    };
    window.addEventListener("keydown", onKey);
    return () => {
      window.removeEventListener("keydown", onKey);
      before?.focus();
    };
  }, [url]);
  return (
    <aside className="drawer" role="dialog" aria-label={t.figure.heading} tabIndex={-1} ref={panel}>
      <header>
        <h2>{t.figure.heading}</h2>
        <button type="button" className="plain" onClick={close} aria-label={t.close}>
          ✕
        </button>
      </header>
      <p className="drawer-title">{title}</p>
      <p className="drawer-value num">{shown}</p>
      <Loaded answer={answer}>{(p) => <Story provenance={p} />}</Loaded>
      <footer>
        <button type="button" className="plain" onClick={() => void copyLink()}>
          {t.copyLink}
        </button>
      </footer>
    </aside>
  );
}

function Story({ provenance: p }: { provenance: Provenance }) {
  const [from, to] = p.interval;
  const facts: [string, ReactNode][] = [
    [t.figure.rule, p.rule],
    [t.figure.version, p.version],
    [t.figure.source, p.source || "–"],
  ];
  if (from && to) {
    facts.push([t.figure.from, <Time key="from" at={from} zone />], [t.figure.to, <Time key="to" at={to} zone />]);
  }
  const cut = Object.entries(p.cut).map(([shard, seq]) => `${shard}: ${seq}`);
  facts.push([
    t.figure.cut,
    <span key="cut" className="num" title={t.figure.cutHint}>
      {cut.join(", ") || "–"}
    </span>,
  ]);
  return (
    <>
      {p.explanation ? <p>{p.explanation}</p> : null}
      <Facts items={facts} />
      <h3>{t.figure.inputs}</h3>
      <ul className="inputs">
        {p.inputs.map((input, i) => (
          <li key={i}>
            <span className="weak">{input.kind}</span> <strong>{input.name}</strong>
            {input.detail ? <span className="weak"> {input.detail}</span> : null}
          </li>
        ))}
      </ul>
      {p.observations_url ? (
        <p>
          <a href={p.observations_url} target="_blank" rel="noreferrer">
            {t.figure.observations}
          </a>
        </p>
      ) : null}
    </>
  );
}
