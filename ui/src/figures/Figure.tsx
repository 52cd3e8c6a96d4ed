import type { ReactNode } from "react";
import { setParams } from "../route/router";
import { t } from "../texts/en";

export interface Source {
  /** Address of the provenance answer. */
  url: string | undefined;
  /** What the figure is, for the drawer's heading. */
  title: string;
}

/** Opens the drawer that tells where a figure came from; its address is part of the page's, so it can be shared. */
export function openSource(source: Source, shown: string): void {
  if (source.url) setParams({ why: source.url, why_title: source.title, why_value: shown }, false);
}

/** A number that opens: value, unit, and where it came from. An estimate looks different from a measurement. */
export function Figure({
  text,
  unit = "",
  source,
  estimate = false,
  stale = false,
  className = "",
}: {
  text: string;
  unit?: string;
  source: Source;
  estimate?: boolean;
  stale?: boolean;
  className?: string;
}) {
  const inside: ReactNode = (
    <>
      {estimate ? <span className="figure-about">≈</span> : null}
      <span className="figure-value num">{text}</span>
      {unit ? <span className="figure-unit">{unit}</span> : null}
    </>
  );
  const classes = `figure${estimate ? " estimate" : ""}${stale ? " stale" : ""} ${className}`;
  if (!source.url) return <span className={classes}>{inside}</span>;
  return (
    <button
      type="button"
      className={classes}
      onClick={(event) => {
        event.stopPropagation();
        openSource(source, unit ? `${text} ${unit}` : text);
      }}
    >
      <span className="hidden">{source.title}: </span>
      {inside}
      <span className="hidden">. {t.figure.open}</span>
    </button>
  );
}
