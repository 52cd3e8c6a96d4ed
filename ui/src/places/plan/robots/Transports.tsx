import { type FormEvent, useState } from "react";
import type { FleetMap, RobotFleet, RobotTask } from "../../../api/types";
import { askTransport, cancelTransport } from "../../../data/robots";
import { Card } from "../../../parts/Card";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";

const r = t.robots.tasks;
const DONE_SHOWN = 6;

/** Transports that are open, the last ones that are over, and a form for another one. */
export function Transports({ map, fleet, reload }: { map: FleetMap; fleet: RobotFleet; reload: () => void }) {
  const isOpen = (task: RobotTask): boolean => ["waiting", "assigned", "loaded"].includes(task.state);
  const rows = [...fleet.tasks.filter(isOpen), ...fleet.tasks.filter((task) => !isOpen(task)).slice(0, DONE_SHOWN)];
  const titles = new Map(fleet.robots.map((one) => [one.robot, one.title]));
  return (
    <Card title={r.title}>
      {fleet.may_command ? <Ask stations={Object.keys(map.stations).sort()} fleet={fleet.id} reload={reload} /> : null}
      {rows.length === 0 ? <p className="weak">{r.none}</p> : null}
      <ul className="robots-tasks">
        {rows.map((task) => (
          <li key={task.id} className={isOpen(task) ? "" : "over"}>
            <span>
              {task.from} → {task.to} {task.load ? <span className="weak">{task.load}</span> : null}
            </span>
            <span className="weak">
              {r.states[task.state]}
              {task.robot ? `, ${titles.get(task.robot) ?? task.robot}` : ""}
              {task.reason ? `: ${task.reason}` : ""}
            </span>
            {isOpen(task) && fleet.may_command ? (
              <button type="button" className="plain" aria-label={`${r.cancel} ${task.id}`} onClick={() => void cancelTransport(fleet.id, task.id).then(reload, (error: Error) => notify(error.message, "error"))}>
                {r.cancel}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Ask({ stations, fleet, reload }: { stations: readonly string[]; fleet: string; reload: () => void }) {
  const [from, setFrom] = useState(stations[0] ?? "");
  const [to, setTo] = useState(stations[1] ?? "");
  const [load, setLoad] = useState("");
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const id = `asked-${Date.now().toString(36)}`;
    askTransport(fleet, { id, from, to, load, priority: 10 }).then(
      () => {
        setLoad("");
        reload();
      },
      (error: Error) => notify(error.message, "error"),
    );
  };
  const options = stations.map((name) => (
    <option key={name} value={name}>
      {name}
    </option>
  ));
  return (
    <form className="robots-ask" aria-label={r.ask} onSubmit={send}>
      <label>
        {r.from}
        <select value={from} onChange={(event) => setFrom(event.target.value)}>
          {options}
        </select>
      </label>
      <label>
        {r.to}
        <select value={to} onChange={(event) => setTo(event.target.value)}>
          {options}
        </select>
      </label>
      <label className="wide">
        {r.load}
        <input type="text" value={load} maxLength={200} onChange={(event) => setLoad(event.target.value)} />
      </label>
      <button type="submit" className="plain">
        {r.send}
      </button>
    </form>
  );
}
