import { useState } from "react";
import type { FleetEvent } from "../../../api/types";
import { Card } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { t } from "../../../texts/en";

const r = t.robots.events;
const SHOWN = 40;
const MARKS = { info: "·", warning: "▲", alarm: "■" } as const;

/** What happened, why, and what was done about it; of one robot and of the hall if one is chosen. */
export function FleetEvents({ events, robot }: { events: readonly FleetEvent[]; robot: string }) {
  const [only, setOnly] = useState(true);
  const shown = events.filter((event) => (!robot || !event.robot || event.robot === robot) && (!only || event.weight !== "info")).slice(0, SHOWN);
  return (
    <Card
      title={r.title}
      extra={
        <label className="check">
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} /> {r.only}
        </label>
      }
    >
      {shown.length === 0 ? <p className="weak">{r.none}</p> : null}
      <ul className="robots-events">
        {shown.map((event) => (
          <li key={event.number} className={event.weight}>
            <span className="robots-weight" aria-hidden="true">
              {MARKS[event.weight]}
            </span>
            <span className="hidden">{r.weights[event.weight]}: </span>
            <span>
              {event.text} <span className="weak num"><Time at={event.at} /></span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
