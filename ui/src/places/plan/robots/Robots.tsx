import { useState } from "react";
import type { FleetMap, RobotFleet } from "../../../api/types";
import { useFleetMap, useFleets, useRobotFleet } from "../../../data/robots";
import { Card } from "../../../parts/Card";
import { useAsOf } from "../../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { useParam } from "../../../route/router";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { ChosenPlaces } from "./ChosenPlaces";
import { FleetEvents } from "./FleetEvents";
import { RobotList } from "./RobotList";
import { RobotMap } from "./RobotMap";
import { Transports } from "./Transports";

const r = t.robots;

/** Mobile robots: where they are, what they do, what happened, and which places are closed. */
export default function Robots() {
  const fleets = useFleets();
  const [wanted, want] = useParam("fleet");
  return (
    <Loaded answer={fleets} skeleton={<Skeleton height={420} />}>
      {(items) => {
        const id = items.find((one) => one.id === wanted)?.id ?? items[0]?.id;
        if (id === undefined) return <Empty title={r.none}>{r.noneHint}</Empty>;
        return (
          <>
            {items.length > 1 ? (
              <div className="toolbar">
                <label>
                  {r.fleet}{" "}
                  <select value={id} onChange={(event) => want(event.target.value)}>
                    {items.map((one) => (
                      <option key={one.id} value={one.id}>
                        {one.title}
                      </option>
                    ))}
                  </select>
                </label>
              </div>
            ) : null}
            <FleetNow key={id} id={id} />
          </>
        );
      }}
    </Loaded>
  );
}

function FleetNow({ id }: { id: string }) {
  const fleet = useRobotFleet(id);
  const map = useFleetMap(id);
  return (
    <Loaded answer={map} skeleton={<Skeleton height={420} />}>
      {(drawn) => <Loaded answer={fleet}>{(now) => <FleetView map={drawn} fleet={now} reload={fleet.reload} />}</Loaded>}
    </Loaded>
  );
}

function FleetView({ map, fleet, reload }: { map: FleetMap; fleet: RobotFleet; reload: () => void }) {
  const asOf = useAsOf();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [robot, setRobot] = useParam("robot");
  const ready = fleet.robots.filter((one) => one.condition === "ready").length;
  const open = fleet.tasks.filter((task) => ["waiting", "assigned", "loaded"].includes(task.state)).length;
  const facts = [
    r.summary.ready(ready, fleet.robots.length),
    r.summary.tasks(open),
    r.summary.checked(fleet.conflicts.length, formatNumber(fleet.checked, 0)),
    r.summary.planning(formatNumber(fleet.planning_ms, 1)),
  ];
  return (
    <div className="robots-page">
      {asOf === null ? null : <p className="weak">{r.now}</p>}
      <p className="robots-facts num">
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </p>
      <div className="columns">
        <div className="column">
          <Card title={r.map.title} extra={<Legend />}>
            <RobotMap
              map={map}
              fleet={fleet}
              chosen={chosen}
              robot={robot}
              choose={(places, at) => {
                setChosen(places);
                setRobot(at);
              }}
            />
            <ChosenPlaces map={map} fleet={fleet} chosen={chosen} clear={() => setChosen(new Set())} reload={reload} />
          </Card>
          <Transports map={map} fleet={fleet} reload={reload} />
        </div>
        <div className="column">
          <RobotList fleet={fleet} robot={robot} choose={setRobot} reload={reload} />
          <FleetEvents events={fleet.events} robot={robot} />
        </div>
      </div>
    </div>
  );
}

function Legend() {
  const l = r.map.legend;
  return (
    <p className="robots-legend weak">
      <span>
        <i className="given" aria-hidden="true" /> {l.given}
      </span>
      <span>
        <i className="planned" aria-hidden="true" /> {l.planned}
      </span>
      <span>
        <i className="blocked" aria-hidden="true" /> {l.blocked}
      </span>
      <span>
        <i className="person" aria-hidden="true" /> {l.person}
      </span>
    </p>
  );
}
