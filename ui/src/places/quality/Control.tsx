import type { CharacteristicShape, SpcChart, SpcPoint } from "../../api/types";
import { useCharacteristics, useChart } from "../../data/quality";
import { Card } from "../../parts/Card";
import { Time, useMoment } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { useParam } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber, unitText } from "../../time/figure";
import { CapabilityCard } from "./CapabilityCard";
import { ControlChart, decimalsOf } from "./ControlChart";
import { PartLink } from "./marks";
import { MachinePick } from "./MachinePick";
import { Pick } from "./Parts";

const c = t.quality.control;
const keyOf = (one: CharacteristicShape): string => `${one.product}|${one.name}`;

/** Control chart and capability of one characteristic. */
export function Control() {
  const named = useCharacteristics();
  return (
    <>
      <p className="weak lead-in">{c.lead}</p>
      <Loaded answer={named} skeleton={<Skeleton lines={8} />}>
        {(found) => (found.items.length ? <Chosen items={found.items} /> : <Empty title={c.none}>{c.noneHint}</Empty>)}
      </Loaded>
    </>
  );
}

function Chosen({ items }: { items: readonly CharacteristicShape[] }) {
  const [chosen, setChosen] = useParam("of");
  const [machine, setMachine] = useParam("machine");
  const [kind, setKind] = useParam("chart");
  const [rules, setRules] = useParam("rules", "nelson");
  const [hours, setHours] = useParam("hours", "24");
  const one = items.find((i) => keyOf(i) === chosen) ?? items[0];
  const moment = useMoment(60_000);
  const from = hours ? new Date(Math.floor(moment / 60_000) * 60_000 - Number(hours) * 3_600_000).toISOString() : "";
  const answer = useChart(one ? { product: one.product, characteristic: one.name, machine, kind, rules, from, ...(kind && kind !== "individuals" ? { size: "5" } : {}) } : null);
  return (
    <>
      <div className="toolbar">
        <Pick label={c.product} value={one ? keyOf(one) : ""} options={items.map((i) => [keyOf(i), `${i.product || "–"}: ${i.name}`])} onChange={setChosen} />
        <MachinePick label={c.machine} none={t.quality.parts.all} value={machine} onChange={setMachine} />
        <Pick label={c.chart} value={kind} options={[["", c.auto], ...Object.entries(c.charts)]} onChange={setKind} />
        <Pick label={c.rules} value={rules} options={Object.entries(c.ruleSets)} onChange={setRules} />
        <Pick label={c.range} value={hours} options={Object.entries(c.hours).map(([key, title]) => [key, title])} onChange={setHours} />
      </div>
      <Loaded answer={answer} skeleton={<Skeleton height={420} />}>
        {(chart) => <Shown chart={chart} />}
      </Loaded>
    </>
  );
}

function Shown({ chart }: { chart: SpcChart }) {
  const broken = chart.points.filter((p) => p.rules.length || p.spread_rules.length);
  const says = new Map(chart.rules.map((rule) => [rule.name, rule.says]));
  const unit = unitText(chart.unit);
  return (
    <>
      {chart.warnings.map((w) => (
        <p key={w.code} className="note">
          {w.message}. {w.hint}
        </p>
      ))}
      <div className="columns">
        <div className="column">
          <Card
            title={`${chart.product} · ${chart.characteristic} · ${c.title[chart.kind]}${unit ? `, ${unit}` : ""}`}
            extra={<span className={broken.length ? "outcome-violated" : "weak"}>{broken.length ? "▲ " : ""}{c.broken(broken.length)}</span>}
          >
            <ControlChart chart={chart} of="location" />
            <h3>{c.spread[chart.kind]}</h3>
            <ControlChart chart={chart} of="spread" />
            <p className="weak">{c.basis(chart.groups, chart.size)}</p>
          </Card>
          {broken.length ? <Breaks points={[...broken].reverse().slice(0, 100)} says={says} decimals={decimalsOf(chart)} unit={unit} /> : null}
        </div>
        <CapabilityCard chart={chart} />
      </div>
    </>
  );
}

function Breaks({ points, says, decimals, unit }: { points: readonly SpcPoint[]; says: ReadonlyMap<string, string>; decimals: number; unit: string }) {
  return (
    <Card title={c.breaks}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="grid-box breaks" tabIndex={0} role="group" aria-label={c.breaks}>
        <table className="grid">
          <thead>
            <tr>
              <th scope="col">{c.at}</th>
              <th scope="col" className="right">
                {c.value}
              </th>
              <th scope="col">{c.rule}</th>
              <th scope="col">{c.parts}</th>
            </tr>
          </thead>
          <tbody>
            {points.map((p) => (
              <tr key={`${p.end} ${p.parts[0] ?? ""}`}>
                <td>
                  <Time at={p.end} />
                </td>
                <td className="right num">
                  {formatNumber(p.value, decimals)} {unit}
                </td>
                <td>
                  {p.rules.map((name) => (
                    <div key={name}>
                      ▲ {name}: {says.get(name)}
                    </div>
                  ))}
                  {p.spread_rules.length ? <div>▲ {c.spread.individuals}</div> : null}
                </td>
                <td>
                  {p.parts.slice(0, 3).map((id) => (
                    <div key={id}>
                      <PartLink part={{ id, name: id.split(":").pop() ?? id }} />
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
