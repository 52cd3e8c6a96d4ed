import type { CaseAlarm, CaseStatus, Severity, Verdict } from "../../api/types";
import { t } from "../../texts/en";

/** SVG paths in a 16 x 16 box: each severity has its own outline, so that none is told by colour alone. */
const SEVERITY_SHAPES: Record<Severity, string> = {
  safety: "M5 1h6l4 4v6l-4 4H5l-4-4V5zM7.2 4v5h1.6V4zm0 6.2v1.6h1.6v-1.6z",
  high: "M8 1l7.5 13.5H.5zM7.2 6v4.2h1.6V6zm0 5.4V13h1.6v-1.6z",
  medium: "M8 1l7 7-7 7-7-7zM8 4.2L4.2 8 8 11.8 11.8 8z",
  low: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zm0 2.2a3.3 3.3 0 1 1 0 6.6 3.3 3.3 0 0 1 0-6.6z",
};

export const SEVERITIES: readonly Severity[] = ["safety", "high", "medium", "low"];

/** How bad it is, as shape and word; saturated colour only for what is serious. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span className={`severity severity-${severity}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SEVERITY_SHAPES[severity]} fillRule="evenodd" />
      </svg>
      {t.severities[severity]}
    </span>
  );
}

const VERDICT_SHAPES: Record<Verdict, string> = {
  true: "M6.2 13L1.5 8.3l1.7-1.7 3 3 6.6-6.6 1.7 1.7z",
  false: "M3.4 1.7L8 6.3l4.6-4.6 1.7 1.7L9.7 8l4.6 4.6-1.7 1.7L8 9.7l-4.6 4.6-1.7-1.7L6.3 8 1.7 3.4z",
  inconclusive: "M1.5 6.8h3v2.4h-3zm5 0h3v2.4h-3zm5 0h3v2.4h-3z",
};

/** Whether a requirement is kept, as shape and word. */
export function VerdictMark({ verdict, words = t.verdicts }: { verdict: Verdict | null; words?: Record<Verdict, string> }) {
  if (verdict === null) return <span className="weak">{t.noVerdict}</span>;
  return (
    <span className={`verdict-mark verdict-${verdict}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={VERDICT_SHAPES[verdict]} />
      </svg>
      {words[verdict]}
    </span>
  );
}

/** The life cycle of the alarm after ISA-18.2: what nobody has seen yet is loud, the rest is quiet. */
export function AlarmPill({ alarm }: { alarm: CaseAlarm }) {
  const loud = alarm === "unacknowledged" || alarm === "returned";
  return <span className={loud ? "pill warning" : "pill quiet"}>{t.caseAlarms[alarm]}</span>;
}

/** Where the case stands; a violation that goes on says so. */
export function StatusWord({ status, active, source = "" }: { status: CaseStatus; active: boolean; source?: string }) {
  return <span className={`case-status status-${status}`}>{statusText(status, active, source)}</span>;
}

export function statusText(status: CaseStatus, active: boolean, source = ""): string {
  const word = source && status === "closed" ? t.closedFound : t.caseStatuses[status];
  if (source && status === "violated") return active ? t.case.foundNow : t.case.foundOver;
  if (status === "violated") return active ? t.case.violatedNow : t.case.keptAgain;
  return active && status !== "closed" ? `${word}, ${t.case.now}` : word;
}
