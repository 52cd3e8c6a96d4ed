import type { ReactNode } from "react";
import { withQuery } from "../../api/client";
import type { CaseDetail, CaseProgress } from "../../api/types";
import { Figure } from "../../figures/Figure";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { formatDuration } from "../../time/instant";

const c = t.case;

const text = (said: Record<string, unknown>, name: string): string => (typeof said[name] === "string" ? said[name] : "");

/** What is known of cause and repair, and what is still missing before "mended" may be said. */
export function Standing({ one }: { one: CaseDetail }) {
  const { diagnosis, repair, progress } = one;
  const ended = one.status === "verified" || one.status === "closed";
  const facts: [string, ReactNode][] = [
    [c.diagnosis, diagnosis ? [text(diagnosis, "component"), titleOf(one, text(diagnosis, "cause")), text(diagnosis, "text")].filter(Boolean).join(" · ") : <span className="weak">{c.none}</span>],
    [c.repair, repair ? <Repair key="r" repair={repair} /> : <span className="weak">{c.none}</span>],
  ];
  if (one.dismissed) facts.unshift([c.dismissed, one.dismissed.text]);
  return (
    <Card title={ended ? c.standing : c.standingOpen} className={ended ? "" : "standing-open"}>
      {one.waits_for && !progress ? <p className="waits-for">{one.waits_for}</p> : null}
      {progress ? <Progress id={one.id} progress={progress} /> : null}
      <Facts items={facts} />
    </Card>
  );
}

const titleOf = (one: CaseDetail, cause: string): string => one.hypotheses.find((h) => h.name === cause)?.title || cause;

function Repair({ repair }: { repair: Record<string, unknown> }) {
  const change = text(repair, "change") as keyof typeof c.changes;
  const doneAt = text(repair, "done_at");
  return (
    <>
      {c.changes[change] ?? change}: <strong>{[text(repair, "what"), text(repair, "version")].filter(Boolean).join(" ")}</strong>
      <br />
      <span className="weak">
        {[text(repair, "component"), `${c.by} ${text(repair, "done_by")}`].filter(Boolean).join(" · ")}
        {doneAt ? (
          <>
            , <Time at={doneAt} precision="minute" />
          </>
        ) : null}
        {text(repair, "text") ? ` · ${text(repair, "text")}` : ""}
      </span>
    </>
  );
}

/** How often the condition came again with the requirement kept, against how often it has to. */
function Progress({ id, progress: p }: { id: string; progress: CaseProgress }) {
  const url = withQuery("/api/v1/provenance", { kind: "case", case: id, of: "repair" });
  const proven = p.missing === "";
  const conditioned = p.needed > 0;
  const lasted = c.ofNeeded(formatDuration(p.lasted_s * 1000), formatDuration(p.lasting_s * 1000));
  const counted = !conditioned ? lasted : proven ? String(p.occurrences) : c.ofNeeded(p.occurrences, p.needed);
  const parts = conditioned ? Array.from({ length: Math.min(p.needed, 60) }, (_, i) => i < p.occurrences) : [];
  return (
    <div className="repair-progress">
      <p className="waits-for">
        {proven ? `✓ ${c.provenBy}` : `○ ${c.notYet}`}: <Figure text={counted} source={{ url, title: c.proof }} /> {conditioned ? c.occurrencesOf : c.keptSince} {!conditioned ? "" : p.when ? <span className="code">{p.when}</span> : c.condition}
      </p>
      {conditioned ? (
        <div className="progress-steps" role="progressbar" aria-label={c.proof} aria-valuemin={0} aria-valuemax={p.needed} aria-valuenow={Math.min(p.occurrences, p.needed)}>
          {parts.map((done, i) => (
            <span key={i} className={done ? "done" : ""} />
          ))}
        </div>
      ) : null}
      <p className="weak">
        {conditioned && p.lasting_s > 0 ? `${c.lasted(formatDuration(p.lasted_s * 1000), formatDuration(p.lasting_s * 1000))}. ` : ""}
        {p.unclear ? `${c.unclear(p.unclear)}. ` : ""}
        {p.failed ? `${c.failed(p.failed)}. ` : ""}
        {c.watchedSince} <Time at={p.since} precision="minute" />.
      </p>
      {proven && !conditioned ? null : proven ? <p className="weak">{c.bound(formatNumber(Math.min(1, p.bound) * 100, 0))}</p> : <p className="weak">{`${c.stillMissing}: ${p.missing}`}</p>}
    </div>
  );
}
