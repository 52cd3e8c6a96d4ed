import { IxContentHeader } from "@siemens/ix-react";
import { useState } from "react";
import type { CaseSummary } from "../../api/types";
import { useCases } from "../../data/cases";
import { useTwins } from "../../data/twins";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { type Column, download, formatSort, Grid, parseSort, sortRows, toCsv } from "../../parts/Grid";
import { MachineOptions } from "../../parts/MachineOptions";
import { go, href, Link, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { AlarmPill, SEVERITIES, SeverityMark, statusText, StatusWord } from "./marks";
import { WatchedCount } from "./WatchedCount";

const c = t.cases;

/** What is wrong with machines, the most urgent first. */
export default function Cases() {
  const [which, choose] = useParam("which", "open");
  const [twin, chooseTwin] = useParam("twin");
  const answer = useCases(twin, which !== "all");
  const twins = useTwins();
  const machines = [...(twins.data ?? [])].sort((a, b) => (a.title || a.id).localeCompare(b.title || b.id, "en", { numeric: true }));
  return (
    <>
      <IxContentHeader headerTitle={c.title} />
      <div className="toolbar">
        <div className="segmented" role="group" aria-label={c.which}>
          {(["open", "all"] as const).map((choice) => (
            <button key={choice} type="button" aria-pressed={which === choice} onClick={() => choose(choice)}>
              {c[choice]}
            </button>
          ))}
        </div>
        <select aria-label={c.machine} value={twin} onChange={(event) => chooseTwin(event.target.value)}>
          <option value="">
            {c.machine}: {t.all}
          </option>
          {twin && !machines.some((one) => one.id === twin) ? <option value={twin}>{twin}</option> : null}
          <MachineOptions machines={machines} />
        </select>
        <span className="weak num toolbar-count" role="status">
          {answer.data ? c.count(answer.data.length) : ""}
        </span>
        <span className="spring" />
        <button type="button" className="plain" disabled={!answer.data?.length} onClick={() => download("cases.csv", "text/csv", toCsv(answer.data ?? [], COLUMNS))}>
          {c.export}
        </button>
      </div>
      <Loaded answer={answer} skeleton={<Skeleton lines={10} />}>
        {(found) => (found.length === 0 ? <NoCases all={which === "all"} twin={twin} showAll={() => choose("all")} /> : <CaseList cases={found} />)}
      </Loaded>
    </>
  );
}

function NoCases({ all, twin, showAll }: { all: boolean; twin: string; showAll: () => void }) {
  return (
    <Empty title={all ? c.noneEver : c.none}>
      <WatchedCount twin={twin} /> {c.noneHint}
      {all ? null : (
        <p className="empty-act">
          <button type="button" className="plain" onClick={showAll}>
            {c.showAll}
          </button>
        </p>
      )}
    </Empty>
  );
}

const COLUMNS: Column<CaseSummary>[] = [
  {
    key: "severity",
    title: c.col.severity,
    cell: (one) => <SeverityMark severity={one.severity} />,
    value: (one) => SEVERITIES.indexOf(one.severity),
  },
  {
    key: "requirement",
    title: c.col.requirement,
    cell: (one) => (
      <div className={one.part_of ? "case-text led" : "case-text"}>
        {one.part_of ? <span className="weak">{c.partOf}</span> : null}
        <Link place={`cases/${one.id}`} className="strong">
          {one.text || one.requirement}
        </Link>
        <span className="weak code">{one.requirement}</span>
        {one.recurred ? <span className="recurred">{c.recurred(one.recurred)}</span> : null}
      </div>
    ),
    value: (one) => one.text || one.requirement,
  },
  { key: "machine", title: c.col.machine, cell: (one) => <Link place={`machines/${one.twin}`}>{one.twin_title}</Link>, value: (one) => one.twin_title },
  { key: "component", title: c.col.component, cell: (one) => one.component || <span className="weak">–</span>, value: (one) => one.component },
  { key: "since", title: c.col.since, cell: (one) => <Time at={one.opened} precision="minute" />, value: (one) => one.opened },
  { key: "alarm", title: c.col.alarm, cell: (one) => <AlarmPill alarm={one.alarm} />, value: (one) => t.caseAlarms[one.alarm] },
  {
    key: "status",
    title: c.col.status,
    cell: (one) => <StatusWord status={one.status} active={one.active} source={one.source} />,
    value: (one) => statusText(one.status, one.active, one.source),
  },
  { key: "waits", title: c.col.waits, cell: (one) => <span className="case-waits">{one.waits_for || "–"}</span>, value: (one) => one.waits_for },
];

const rowClass = (one: CaseSummary): string => (one.alarm === "normal" || one.alarm === "shelved" ? "" : `urgency-${one.severity === "safety" ? 0 : 1}`);

function CaseList({ cases }: { cases: CaseSummary[] }) {
  // On a phone a table of eight columns helps nobody.
  const [narrow] = useState(() => window.matchMedia("(max-width: 640px)").matches);
  const [sortText, setSort] = useParam("sort", "urgency");
  const rows = sortText === "urgency" ? cases : sortRows(cases, COLUMNS, parseSort(sortText));
  if (narrow) {
    return (
      <ul className="case-cards">
        {rows.map((one) => (
          <li key={one.id} className={`card case-card severity-edge-${one.severity}`}>
            <CaseLine one={one} machine />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Grid
      label={c.title}
      rows={rows}
      columns={COLUMNS}
      rowKey={(one) => one.id}
      sort={parseSort(sortText)}
      onSort={(sort) => setSort(formatSort(sort))}
      onOpen={(one) => go(href(`cases/${one.id}`))}
      rowClass={rowClass}
    />
  );
}

/** A case in a few lines, where there is no room for a table. */
export function CaseLine({ one, machine }: { one: CaseSummary; machine: boolean }) {
  return (
    <>
      {one.part_of ? <span className="weak led">{c.partOf}</span> : null}
      <span className="row">
        <SeverityMark severity={one.severity} />
        <span className="weak">
          {machine ? `${one.twin_title}${one.component ? " · " : ""}` : ""}
          {one.component}
        </span>
        <span className="spring" />
        <AlarmPill alarm={one.alarm} />
      </span>
      <Link place={`cases/${one.id}`} className="strong">
        {one.text || one.requirement}
      </Link>
      <span className="weak">
        <StatusWord status={one.status} active={one.active} source={one.source} /> · <Time at={one.opened} precision="minute" />
        {one.waits_for ? ` · ${one.waits_for}` : ""}
      </span>
    </>
  );
}
