import { useState } from "react";
import type { RecallAnswer, RecalledPart } from "../../api/types";
import { recallFile, type RecallQuery, useParts, useRecall } from "../../data/quality";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { useZone } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { Link, setParams, useRoute } from "../../route/router";
import { t } from "../../texts/en";
import { formatInstant, parseInstant, parseLocal, toRfc3339 } from "../../time/instant";
import { MachinePick } from "./MachinePick";
import { partColumns } from "./marks";
import { Pick } from "./Parts";

const q = t.quality;
const r = q.recall;
const FIELDS = ["id", "direction", "machine", "from", "to"] as const;

/** From a batch, a tool or a machine's hours to all parts; from a part back. */
export function RecallTab() {
  const { params } = useRoute();
  const asked = Object.fromEntries(FIELDS.map((name) => [name, params.get(name) ?? ""])) as unknown as RecallQuery;
  const query = { ...asked, direction: asked.direction || "down" };
  const answer = useRecall(query);
  return (
    <>
      <p className="weak lead-in">{r.lead}</p>
      <Ask key={JSON.stringify(query)} query={query} />
      {query.id || query.machine ? (
        <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
          {(found) => <Found found={found} query={query} />}
        </Loaded>
      ) : (
        <Suggestions />
      )}
    </>
  );
}

function Ask({ query }: { query: RecallQuery }) {
  const zone = useZone();
  const [form, setForm] = useState(query);
  const change = (name: keyof RecallQuery) => (value: string) => setForm({ ...form, [name]: value });
  return (
    <form
      className="toolbar recall-form"
      onSubmit={(event) => {
        event.preventDefault();
        setParams(form.id ? { ...form, machine: "", from: "", to: "" } : { ...form, id: "" }, false);
      }}
    >
      <label className="pick wide">
        <span className="weak">{r.ids}</span>
        <input value={form.id} onChange={(event) => change("id")(event.target.value.trim())} />
      </label>
      <Pick
        label={r.direction}
        value={form.direction}
        options={[
          ["down", r.down],
          ["up", r.up],
        ]}
        onChange={change("direction")}
      />
      <MachinePick label={r.machine} none={r.noMachine} value={form.machine} onChange={change("machine")} />
      {(["from", "to"] as const).map((name) => (
        <label key={name} className="pick">
          <span className="weak">{r[name]}</span>
          <input type="datetime-local" value={localOf(form[name], zone)} onChange={(event) => change(name)(instantOf(event.target.value, zone))} />
        </label>
      ))}
      <button type="submit" className="primary">
        {r.go}
      </button>
    </form>
  );
}

/** An instant as the field of a local time wants it, and back; nothing stays nothing. */
function localOf(instant: string, zone: string): string {
  const at = parseInstant(instant);
  return Number.isFinite(at) ? formatInstant(at, zone, "minute").replace(" ", "T") : "";
}

function instantOf(local: string, zone: string): string {
  const at = parseLocal(local, zone);
  return Number.isFinite(at) ? toRfc3339(at) : "";
}

const columns: Column<RecalledPart>[] = [...(partColumns as unknown as Column<RecalledPart>[]), { key: "steps", title: q.parts.col.steps, cell: (p) => <span className="num">{p.steps}</span>, value: (p) => p.steps, align: "right" }];

function Found({ found, query }: { found: RecallAnswer; query: RecallQuery }) {
  const others = found.count - found.parts;
  return (
    <>
      <div className="recall-sum">
        <p>
          <Figure className="big" text={r.found(found.parts)} source={{ url: found.provenance, title: r.go }} />
          {found.failed ? <span className="outcome-violated"> ✕ {r.failed(found.failed)}</span> : null}
          {others > 0 ? <span className="weak"> · {r.others(others)}</span> : null}
        </p>
        <a className="button" href={recallFile(query)} download="recall.csv">
          {r.csv}
        </a>
      </div>
      {found.withheld ? <p className="note">{q.life.withheld}</p> : null}
      {found.items.length < found.count ? <p className="weak">{r.shown(found.items.length, found.count)}</p> : null}
      {found.items.length ? <Grid label={r.go} rows={found.items} columns={columns} rowKey={(p) => p.id} tall /> : <Empty title={r.nothing} />}
    </>
  );
}

/** What a recall usually begins with. */
function Suggestions() {
  const batches = useParts({ q: "", kind: "batch", product: "", verdict: "", cursor: "" });
  const tools = useParts({ q: "", kind: "tool", product: "", verdict: "", cursor: "" });
  const both = [...(batches.data?.items ?? []), ...(tools.data?.items ?? [])];
  if (both.length === 0) return <Empty title={r.ask} />;
  return (
    <Card title={r.suggestions}>
      <ul className="suggestions">
        {both.map((o) => (
          <li key={o.id}>
            <Link place="quality/recall" params={{ id: o.id }}>
              <span aria-hidden="true">{q.kindMarks[o.kind]}</span> {q.kinds[o.kind]} {o.name}
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
