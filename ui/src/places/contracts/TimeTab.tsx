import { useMemo, useState } from "react";
import { get, path } from "../../api/client";
import type { ContractDetail, GuaranteeInterval, Page } from "../../api/types";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { StateMark } from "../../parts/StateMark";
import { Strip } from "../../parts/Strip";
import type { Pattern } from "../../parts/states";
import { useParam } from "../../route/router";
import { t } from "../../texts/en";
import { formatDuration, parseInstant } from "../../time/instant";
import type { Window } from "../../time/window";
import { ClaimForm } from "./ClaimForm";
import { PeriodChoice, usePeriod } from "./PeriodChoice";

const c = t.contractTime;
const PATTERNS: Record<GuaranteeInterval["category"], Pattern> = { available: "plain", unavailable: "plain", excluded: "diagonal", not_counted: "dots", outside: "hatch" };
const SHOWN = 100;

/** Each stretch of a period with what it counts as and the rule that says so. */
export function TimeTab({ contract }: { contract: ContractDetail }) {
  const [period, choose] = usePeriod(contract);
  const [machine, setMachine] = useParam("machine", contract.machines[0] ?? "");
  const at = useAsOfText();
  const answer = useQuery(
    `intervals ${contract.id} ${period} ${machine} ${at ?? ""}`,
    (signal) => get<Page<GuaranteeInterval>>(path`/contracts/${contract.id}/intervals`, { period, at, twin: machine, limit: 50_000 }, signal),
    at === null ? 60_000 : 0,
    `intervals ${contract.id}`,
  );
  return (
    <>
      <div className="toolbar">
        <PeriodChoice contract={contract} chosen={period} choose={choose} />
        {contract.machines.length > 1 ? (
          <div className="segmented" role="group" aria-label={t.contractStatus.machine}>
            {contract.machines.map((id) => (
              <button key={id} type="button" aria-pressed={machine === id} onClick={() => setMachine(id)}>
                {id}
              </button>
            ))}
          </div>
        ) : null}
      </div>
      <Loaded answer={answer} skeleton={<Skeleton height={220} />}>
        {(page) => <TimeView contract={contract} rows={page.items.filter((row) => row.twin === machine)} key={`${period} ${machine}`} />}
      </Loaded>
    </>
  );
}

function TimeView({ contract, rows }: { contract: ContractDetail; rows: GuaranteeInterval[] }) {
  const whole: Window = { from: rows[0] ? parseInstant(rows[0].from) : 0, to: rows.at(-1) ? parseInstant(rows.at(-1)?.to ?? "") : 1 };
  const [window, setWindow] = useState<Window>(whole);
  const [only, setOnly] = useParam("only", "bad");
  const [limit, setLimit] = useState(SHOWN);
  const [claimed, setClaimed] = useState<GuaranteeInterval | null>(null);
  const items = useMemo(
    () =>
      rows.map((row) => ({
        from: parseInstant(row.from),
        to: parseInstant(row.to),
        label: t.categories[row.category],
        detail: `${t.states[row.state as keyof typeof t.states] ?? row.state} ${row.cause}`,
        fill: `--c-${row.category}`,
        pattern: PATTERNS[row.category],
      })),
    [rows],
  );
  const shown = rows.filter((row) => (only === "bad" ? row.category !== "available" : only === "all" || row.category === only)).reverse();
  return (
    <>
      <Card title={c.strip}>
        <Strip label={c.strip} items={items} window={window} onWindow={setWindow} />
        <p className="legend">
          {(Object.keys(t.categories) as (keyof typeof t.categories)[]).map((name) => (
            <span key={name} title={t.categoryHints[name]}>
              <span className={`swatch category-${name}`} aria-hidden="true" /> {t.categories[name]}
            </span>
          ))}
        </p>
      </Card>
      {claimed ? <ClaimForm contract={contract} interval={claimed} close={() => setClaimed(null)} /> : null}
      <Card
        title={c.stops}
        extra={
          <div className="segmented" role="group" aria-label={c.only}>
            {(["bad", "all"] as const).map((choice) => (
              <button key={choice} type="button" aria-pressed={only === choice} onClick={() => setOnly(choice)}>
                {c[choice]}
              </button>
            ))}
          </div>
        }
      >
        {shown.length === 0 ? (
          <p className="weak">{c.none}</p>
        ) : (
          <div className="scroll-x">
            <table className="plain-table">
              <thead>
                <tr>
                  <th scope="col">{c.from}</th>
                  <th scope="col" className="right">
                    {c.lasted}
                  </th>
                  <th scope="col">{c.state}</th>
                  <th scope="col">{c.category}</th>
                  <th scope="col">{c.why}</th>
                  <th scope="col">
                    <span className="hidden">{c.claim}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.slice(0, limit).map((row) => (
                  <IntervalRow key={row.from} row={row} claim={contract.you && row.category === "unavailable" ? () => setClaimed(row) : undefined} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        {shown.length > limit ? (
          <button type="button" className="plain" onClick={() => setLimit(limit + SHOWN * 5)}>
            {c.more(shown.length - limit)}
          </button>
        ) : null}
      </Card>
    </>
  );
}

function IntervalRow({ row, claim }: { row: GuaranteeInterval; claim?: () => void }) {
  const why = [t.rules[row.rule as keyof typeof t.rules] ?? row.rule, row.party, row.said, row.ground ? (t.claims.kinds[row.ground as keyof typeof t.claims.kinds] ?? row.ground) : ""];
  return (
    <tr>
      <th scope="row">
        <Time at={row.from} />
      </th>
      <td className="right num">{formatDuration(parseInstant(row.to) - parseInstant(row.from))}</td>
      <td>
        <StateMark state={row.state} /> <span className="weak">{row.cause || row.unknown || row.word}</span>
      </td>
      <td>
        <span className={`swatch category-${row.category}`} aria-hidden="true" /> {t.categories[row.category]}
      </td>
      <td className="weak">{why.filter(Boolean).join(" · ")}</td>
      <td>
        {claim ? (
          <button type="button" className="plain" onClick={claim}>
            {c.claim}
          </button>
        ) : null}
      </td>
    </tr>
  );
}
