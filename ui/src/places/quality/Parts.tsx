import { useState } from "react";
import type { PartSummary } from "../../api/types";
import { useCharacteristics, useParts } from "../../data/quality";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Grid } from "../../parts/Grid";
import { setParams, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { partColumns } from "./marks";

const q = t.quality;
const KINDS = ["part", "batch", "tool", "container"] as const;

/** Find a part, a batch or a tool. */
export function Parts() {
  const [search] = useParam("q");
  const [kind, setKind] = useParam("kind", "part");
  const [product, setProduct] = useParam("product");
  const [verdict, setVerdict] = useParam("verdict");
  const [cursor] = useParam("cursor");
  const [typed, setTyped] = useState(search);
  const answer = useParts({ q: search, kind, product, verdict, cursor });
  const measured = useCharacteristics();
  const products = [...new Set((measured.data?.items ?? []).map((c) => c.product))].filter(Boolean);
  return (
    <>
      <p className="weak lead-in">{q.parts.lead}</p>
      <form
        className="toolbar"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setParams({ q: typed.trim(), cursor: "" }, false);
        }}
      >
        <input className="search" type="search" value={typed} placeholder={q.parts.search} aria-label={q.parts.search} onChange={(event) => setTyped(event.target.value)} onBlur={() => setParams({ q: typed.trim(), cursor: "" })} />
        <Pick label={q.parts.kind} value={kind} options={KINDS.map((k) => [k, q.kinds[k]])} onChange={setKind} />
        <Pick label={q.parts.product} value={product} options={[["", q.parts.all], ...products.map((p): [string, string] => [p, p])]} onChange={setProduct} />
        <Pick
          label={q.parts.verdict}
          value={verdict}
          options={[
            ["", q.parts.all],
            ["pass", q.verdicts.pass],
            ["fail", q.verdicts.fail],
          ]}
          onChange={setVerdict}
        />
      </form>
      <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
        {(page) =>
          page.items.length === 0 ? (
            search || product || verdict || kind !== "part" ? (
              <Empty title={q.parts.noneFound} />
            ) : (
              <Empty title={q.parts.none}>{q.parts.noneHint}</Empty>
            )
          ) : (
            <>
              <Grid<PartSummary> label={q.tabs.parts} rows={page.items} columns={partColumns} rowKey={(p) => p.id} onOpen={(p) => setParams({ part: p.id }, false)} tall />
              {page.next ? (
                <button type="button" className="plain" onClick={() => setParams({ cursor: page.next ?? "" }, false)}>
                  {q.parts.older}
                </button>
              ) : null}
            </>
          )
        }
      </Loaded>
    </>
  );
}

/** A labelled choice of one. */
export function Pick({ label, value, options, onChange }: { label: string; value: string; options: readonly (readonly [string, string])[]; onChange: (value: string) => void }) {
  return (
    <label className="pick">
      <span className="weak">{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map(([key, title]) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
