import { type FormEvent, useState } from "react";
import { compareScenarios, type LineStation, type Scenario } from "../../data/simulation";
import { useAct } from "../../data/useAct";
import { Card } from "../../parts/Card";
import { Problem } from "../../parts/Feedback";
import { t } from "../../texts/en";

const s = t.scenarios;
const BY_VALUE = ["machines", "availability", "places", "scrap"];
const USUAL: Record<string, string> = { machines: "2", availability: "0.98", cycle: "0.9", repair: "0.5", pauses: "0.5", setup: "0.5", places: "20", scrap: "0" };

interface Row {
  key: number;
  name: string;
  station: string;
  what: string;
  value: string;
  cost: string;
}

const asScenario = (row: Row): Scenario => ({
  name: row.name,
  cost_per_year: row.cost || "0",
  changes: [{ what: row.what, station: row.station, [BY_VALUE.includes(row.what) ? "to" : "times"]: Number(row.value) }],
});

/** Named changes that are compared together. */
export function ScenarioForm({ line, stations, asked, busy }: { line: string; stations: readonly LineStation[]; asked: () => void; busy: boolean }) {
  const last = stations[stations.length - 1];
  const first = stations[0];
  const [rows, setRows] = useState<Row[]>([
    { key: 1, name: s.first, station: last?.id ?? "", what: "machines", value: String((last?.machines ?? 1) + 1), cost: "60000" },
    { key: 2, name: s.second, station: first?.id ?? "", what: "availability", value: "0.98", cost: "0" },
    { key: 3, name: s.third, station: first?.id ?? "", what: "setup", value: "0.5", cost: "15000" },
  ]);
  const [days, setDays] = useState(20);
  const [worth, setWorth] = useState("3.20");
  const [currency, setCurrency] = useState("EUR");
  const { act, busy: sending, problem } = useAct(asked);
  const change = (key: number, next: Partial<Row>): void => setRows(rows.map((row) => (row.key === key ? { ...row, ...next } : row)));
  const ask = (event: FormEvent): void => {
    event.preventDefault();
    void act(() => compareScenarios(line, { scenarios: rows.map(asScenario), days, worth_per_part: worth, currency }));
  };
  return (
    <Card title={s.ask}>
      <form onSubmit={ask} className="scenario-form">
        {rows.map((row) => (
          <fieldset key={row.key} className="scenario-row">
            <legend className="hidden">{row.name}</legend>
            <label>
              {s.name}
              <input type="text" required maxLength={100} value={row.name} onChange={(event) => change(row.key, { name: event.target.value })} />
            </label>
            <label>
              {s.station}
              <select value={row.station} onChange={(event) => change(row.key, { station: event.target.value })}>
                {stations.map((station) => (
                  <option key={station.id} value={station.id}>
                    {station.id}
                  </option>
                ))}
              </select>
            </label>
            <label>
              {s.change}
              <select value={row.what} onChange={(event) => change(row.key, { what: event.target.value, value: USUAL[event.target.value] ?? "1" })}>
                {Object.entries(s.changes).map(([what, title]) => (
                  <option key={what} value={what}>
                    {title}
                  </option>
                ))}
              </select>
            </label>
            <label className="short">
              {s.value}
              <input required type="number" min={0} step="any" value={row.value} onChange={(event) => change(row.key, { value: event.target.value })} />
            </label>
            <label className="short">
              {s.cost}
              <input type="text" inputMode="decimal" pattern="[0-9]+([.][0-9]+)?" value={row.cost} onChange={(event) => change(row.key, { cost: event.target.value })} />
            </label>
            <button type="button" className="plain" disabled={rows.length === 1} onClick={() => setRows(rows.filter((one) => one.key !== row.key))}>
              {s.remove}
            </button>
          </fieldset>
        ))}
        <div className="scenario-row">
          <button type="button" className="plain" disabled={rows.length >= 10} onClick={() => setRows([...rows, { key: Math.max(...rows.map((row) => row.key)) + 1, name: `${s.ask} ${rows.length + 1}`, station: last?.id ?? "", what: "cycle", value: "0.9", cost: "0" }])}>
            {s.add}
          </button>
          <label className="short">
            {s.days}
            <input required type="number" min={1} max={366} value={days} onChange={(event) => setDays(event.target.valueAsNumber || 1)} />
          </label>
          <label className="short">
            {s.worth}
            <input type="text" inputMode="decimal" pattern="[0-9]+([.][0-9]+)?" value={worth} onChange={(event) => setWorth(event.target.value)} />
          </label>
          <label className="short">
            {s.currency}
            <input type="text" maxLength={3} value={currency} onChange={(event) => setCurrency(event.target.value.toUpperCase())} />
          </label>
          <button type="submit" className="primary" disabled={sending || busy}>
            {s.compare}
          </button>
        </div>
      </form>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
