import { get } from "../../api/client";
import type { AuditEntry, Page } from "../../api/types";
import { useQuery } from "../../data/query";
import { Time } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { setParams, useParam } from "../../route/router";
import { t } from "../../texts/en";

const a = t.administration;

const COLUMNS: Column<AuditEntry>[] = [
  { key: "at", title: a.at, cell: (one) => <Time at={one.at} /> },
  { key: "actor", title: a.actor, cell: (one) => <span className="strong">{one.actor}</span> },
  { key: "kind", title: a.kind, cell: (one) => one.kind },
  { key: "party", title: a.party, cell: (one) => one.party },
  { key: "action", title: a.action, cell: (one) => <span className="code">{one.action}</span> },
  { key: "subject", title: a.subject, cell: (one) => one.subject || "–" },
  { key: "detail", title: a.detail, cell: (one) => <span className="code cut">{detailText(one.detail)}</span> },
];

function detailText(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

/** Who saw, did and changed what. */
export function Audit() {
  const [cursor] = useParam("cursor");
  const answer = useQuery(`audit ${cursor}`, (signal) => get<Page<AuditEntry>>("/audit", { cursor, limit: 200 }, signal), cursor ? 0 : 10_000);
  return (
    <Loaded answer={answer}>
      {(page) => (
        <>
          <Grid label={a.tabs.audit} rows={page.items} columns={COLUMNS} rowKey={(one) => one.id} tall />
          {page.next ? (
            <button type="button" className="plain" onClick={() => setParams({ cursor: page.next ?? "" }, false)}>
              {t.quarantine.older}
            </button>
          ) : null}
        </>
      )}
    </Loaded>
  );
}
