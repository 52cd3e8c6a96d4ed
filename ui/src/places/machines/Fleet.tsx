import { IxContentHeader } from "@siemens/ix-react";
import { useMemo, useState } from "react";
import type { TwinSummary } from "../../api/types";
import { useTwins } from "../../data/twins";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Choices } from "../../parts/Choices";
import { download, formatSort, Grid, parseSort, sortRows, toCsv } from "../../parts/Grid";
import { stateName, STATES, urgency } from "../../parts/states";
import { go, href, setParams, useParam } from "../../route/router";
import { useChoice } from "../../session/view";
import { Popover } from "../../shell/Popover";
import { t } from "../../texts/en";
import { columnsOf } from "./columns";
import { Tiles } from "./Tiles";

const GROUPS = new Set(["line", "factory", "fleet", "ecosystem"]);

/** All machines: what needs somebody comes first. */
export default function Fleet() {
  const answer = useTwins();
  return (
    <>
      <IxContentHeader headerTitle={t.fleet.title} />
      <Loaded answer={answer} skeleton={<Skeleton lines={12} />}>
        {(twins) => (twins.length === 0 ? <Empty title={t.fleet.none}>{t.fleet.noneHint}</Empty> : <FleetView twins={twins} />)}
      </Loaded>
    </>
  );
}

function FleetView({ twins }: { twins: TwinSummary[] }) {
  // On a phone a table of ten columns helps nobody.
  const [narrow] = useState(() => window.matchMedia("(max-width: 640px)").matches);
  const [q] = useParam("q");
  const [state] = useParam("state");
  const [kind] = useParam("kind", "machines");
  const [keptView, keepView] = useChoice(narrow ? "fleet.view.narrow" : "fleet.view");
  const [view, showView] = useParam("view", keptView || (narrow ? "tiles" : "table"));
  const [needs, setNeeds] = useParam("needs");
  const [sortText, setSort] = useParam("sort", "urgency");
  // The address says what is shown, so that it can be shared; without it, what this person chose last.
  const [keptColumns, keepColumns] = useChoice("fleet.columns");
  const [chosen, showColumns] = useParam("columns", keptColumns);
  const titles = useMemo(() => new Map(twins.map((twin) => [twin.id, twin.title || twin.id])), [twins]);
  const columns = useMemo(() => columnsOf(titles), [titles]);
  const shown = useMemo(
    () => new Set(chosen ? chosen.split(",") : columns.filter((c) => !c.optional).map((c) => c.key)),
    [chosen, columns],
  );
  const machines = twins.filter((twin) => kind === "all" || (kind === "machines" ? !GROUPS.has(twin.kind) : twin.kind === kind));
  const rows = useMemo(
    () => arrange(machines.filter((twin) => fits(twin, q, state) && (!needs || urgency(twin) < 4)), columns, sortText),
    [machines, q, state, needs, columns, sortText],
  );
  const visible = columns.filter((c) => c.fixed || shown.has(c.key));
  const open = (twin: TwinSummary): void => go(href(`machines/${twin.id}`));
  return (
    <>
      <div className="toolbar">
        <Filters kinds={[...new Set(twins.map((twin) => twin.kind))]} machines={machines} />
        <label className="check">
          <input type="checkbox" checked={needs === "1"} onChange={(e) => setNeeds(e.target.checked ? "1" : "")} />
          {t.fleet.needs}
        </label>
        <span className="weak num toolbar-count" role="status">
          {t.fleet.count(rows.length, machines.length)}
        </span>
        <span className="spring" />
        <div className="segmented" role="group" aria-label={t.fleet.title}>
          {(["table", "tiles"] as const).map((choice) => (
            <button key={choice} type="button" aria-pressed={view === choice} onClick={() => {
                showView(choice);
                keepView(choice);
              }}>
              {t.fleet[choice]}
            </button>
          ))}
        </div>
        <Popover button={t.fleet.columns} className="right">
          {() => (
            <Choices
              legend={t.fleet.columns}
              items={columns.filter((c) => !c.fixed)}
              shown={shown}
              onChange={(next) => {
                const text = ["machine", ...next].join(",");
                showColumns(text);
                keepColumns(text);
              }}
            />
          )}
        </Popover>
        <button type="button" className="plain" onClick={() => download("machines.csv", "text/csv", toCsv(rows, visible))}>
          {t.fleet.export}
        </button>
      </div>
      {rows.length === 0 ? (
        <Empty title={t.fleet.noMatch}>
          <button type="button" className="plain" onClick={() => setParams({ q: "", state: "", kind: "", needs: "" })}>
            {t.fleet.clear}
          </button>
        </Empty>
      ) : view === "tiles" ? (
        <Tiles twins={rows} titles={titles} />
      ) : (
        <Grid
          label={t.fleet.title}
          rows={rows}
          columns={visible}
          rowKey={(twin) => twin.id}
          sort={parseSort(sortText)}
          onSort={(sort) => setSort(formatSort(sort))}
          onOpen={open}
          rowClass={(twin) => `urgency-${urgency(twin)}`}
          tall
        />
      )}
    </>
  );
}

function Filters({ kinds, machines }: { kinds: string[]; machines: TwinSummary[] }) {
  const [q, setQ] = useParam("q");
  const [state, setState] = useParam("state");
  const [kind, setKind] = useParam("kind", "machines");
  const counts = new Map<string, number>();
  for (const twin of machines) {
    const name = stateName(twin.state?.state);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return (
    <>
      <input type="search" className="search" placeholder={t.fleet.search} aria-label={t.fleet.search} value={q} onChange={(e) => setQ(e.target.value)} />
      <select aria-label={t.fleet.state} value={state} onChange={(e) => setState(e.target.value)}>
        <option value="">
          {t.fleet.state}: {t.all}
        </option>
        {STATES.filter((name) => counts.has(name) || name === state).map((name) => (
          <option key={name} value={name}>
            {t.states[name]} ({counts.get(name) ?? 0})
          </option>
        ))}
      </select>
      <select aria-label={t.fleet.kind} value={kind} onChange={(e) => setKind(e.target.value)}>
        <option value="machines">{t.fleet.title}</option>
        <option value="all">{t.all}</option>
        {kinds.sort().map((name) => (
          <option key={name} value={name}>
            {t.kinds[name as keyof typeof t.kinds] ?? name}
          </option>
        ))}
      </select>
    </>
  );
}

function fits(twin: TwinSummary, q: string, state: string): boolean {
  if (state && stateName(twin.state?.state) !== state) return false;
  if (!q) return true;
  const text = [twin.title, twin.id, twin.serial, twin.type, twin.place, twin.parent, twin.owner].join(" ").toLowerCase();
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function arrange(rows: TwinSummary[], columns: ReturnType<typeof columnsOf>, sortText: string): TwinSummary[] {
  if (sortText !== "urgency") return sortRows(rows, columns, parseSort(sortText));
  return [...rows].sort(
    (a, b) => urgency(a) - urgency(b) || b.alarms - a.alarms || (a.title || a.id).localeCompare(b.title || b.id, "en", { numeric: true }),
  );
}
