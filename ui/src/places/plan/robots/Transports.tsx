import { type FormEvent, useState } from "react";
import type { FleetMap, RobotFleet, RobotTask } from "../../../api/types";
import { askTransport, cancelTransport } from "../../../data/robots";
import { Card } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";

const r = t.robots.tasks;
const DONE_SHOWN = 6;
const PLANNED_SHOWN = 8;
const isOpen = (task: RobotTask): boolean => ["waiting", "assigned", "loaded"].includes(task.state);

/** Transports that are open, the last ones that are over, and a form for another one. */
export function Transports({ map, fleet, reload }: { map: FleetMap; fleet: RobotFleet; reload: () => void }) {
  const open = fleet.tasks.filter((task) => isOpen(task) && !task.planned);
  const rows = [...open, ...fleet.tasks.filter((task) => !isOpen(task)).slice(0, DONE_SHOWN)];
  const planned = fleet.tasks.filter((task) => task.planned).slice(0, PLANNED_SHOWN);
  const line = (task: RobotTask) => <Transport key={task.id} task={task} fleet={fleet} reload={reload} />;
  return (
    <Card title={r.title}>
      {fleet.may_command ? <Ask stations={Object.keys(map.stations).sort()} fleet={fleet.id} reload={reload} /> : null}
      {rows.length === 0 ? <p className="weak">{r.none}</p> : null}
      <ul className="robots-tasks">{rows.map(line)}</ul>
      {planned.length > 0 ? (
        <section aria-label={r.planned}>
          <h3 className="robots-planned">{r.planned}</h3>
          <ul className="robots-tasks">{planned.map(line)}</ul>
          {fleet.planned > planned.length ? <p className="weak">{r.more(fleet.planned - planned.length)}</p> : null}
        </section>
      ) : null}
    </Card>
  );
}

/** One transport: from where to where, for which operation of which order, and how far it is. */
function Transport({ task, fleet, reload }: { task: RobotTask; fleet: RobotFleet; reload: () => void }) {
  const robot = fleet.robots.find((one) => one.robot === task.robot)?.title ?? task.robot;
  const from = task.planned ? task.not_before : null;
  return (
    <li className={isOpen(task) ? "" : "over"}>
      <span>
        {task.from} → {task.to} {task.load ? <span className="weak">{task.load}</span> : null}
        {task.order ? <span className="weak robots-serves">{r.serves(task.operation, task.order)}</span> : null}
      </span>
      <span className="weak">
        {from !== null ? (
          <span className="num">
            {r.from_time} <Time at={from} precision="minute" />
          </span>
        ) : (
          r.states[task.state]
        )}
        {task.due !== null && isOpen(task) ? (
          <>
            {", "}
            <span className="num">
              {r.by} <Time at={task.due} precision="minute" />
            </span>
          </>
        ) : null}
        {task.expected !== null && isOpen(task) ? (
          <>
            {", "}
            <span className="num">
              {r.expected} <Time at={task.expected} />
            </span>
          </>
        ) : null}
        {robot ? `, ${robot}` : ""}
        {task.reason ? `: ${task.reason}` : ""}
      </span>
      {isOpen(task) && fleet.may_command ? (
        <button type="button" className="plain" aria-label={`${r.cancel} ${task.id}`} onClick={() => void cancelTransport(fleet.id, task.id).then(reload, (error: Error) => notify(error.message, "error"))}>
          {r.cancel}
        </button>
      ) : null}
    </li>
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
