import { useState } from "react";
import type { FleetMap, RobotFleet, RobotZone } from "../../../api/types";
import { closeZone, openZone } from "../../../data/robots";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";

const r = t.robots.map;

interface ChosenProps {
  map: FleetMap;
  fleet: RobotFleet;
  chosen: ReadonlySet<string>;
  clear: () => void;
  reload: () => void;
}

/** What is known of the chosen places, and what can be done: block them, or open them again. */
export function ChosenPlaces({ map, fleet, chosen, clear, reload }: ChosenProps) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const places = [...chosen];
  const first = places[0];
  const zones = fleet.zones.filter((zone) => zone.places.some((p) => chosen.has(map.stations[p] ?? p)));
  const act = (work: Promise<unknown>): void => {
    setBusy(true);
    work.then(clear, (error: Error) => notify(error.message, "error")).finally(() => {
      setBusy(false);
      reload();
    });
  };
  const close = (kind: "blocked" | "person"): void => {
    if (first === undefined) return;
    const taken = new Set(fleet.zones.map((zone) => zone.id));
    let id = r.zone(first);
    for (let n = 2; taken.has(id); n += 1) id = `${r.zone(first)} (${n})`;
    act(closeZone(fleet.id, { id, places, kind, reason }));
  };
  if (first === undefined) {
    return (
      <div className="robots-chosen">
        <p className="weak">{fleet.may_command ? r.hint : r.mayNot}</p>
        <Zones zones={fleet.zones} fleet={fleet} busy={busy} act={act} />
      </div>
    );
  }
  return (
    <div className="robots-chosen">
      <p>
        <strong>{r.chosen(places.length, first)}</strong>: {places.length === 1 ? about(map, fleet, first) : places.join(", ")}
      </p>
      {fleet.may_command && zones.length === 0 ? (
        <p className="row">
          <label>
            {r.reason} <input type="text" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
          </label>
          <button type="button" className="plain" disabled={busy} onClick={() => close("blocked")}>
            {r.block}
          </button>
          <button type="button" className="plain" disabled={busy} onClick={() => close("person")}>
            {r.person}
          </button>
        </p>
      ) : null}
      <Zones zones={zones} fleet={fleet} busy={busy} act={act} />
    </div>
  );
}

function Zones({ zones, fleet, busy, act }: { zones: readonly RobotZone[]; fleet: RobotFleet; busy: boolean; act: (work: Promise<unknown>) => void }) {
  return (
    <ul className="robots-zones">
      {zones.map((zone) => (
        <li key={zone.id}>
          <span>
            {r.closed(zone.kind, zone.id)}
            {zone.reason ? <span className="weak"> {zone.reason}</span> : null}
          </span>
          {fleet.may_command ? (
            <button type="button" className="plain" disabled={busy} onClick={() => act(openZone(fleet.id, zone.id))}>
              {r.open(zone.id)}
            </button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function about(map: FleetMap, fleet: RobotFleet, place: string): string {
  const station = Object.entries(map.stations).find(([, at]) => at === place)?.[0];
  const holder = fleet.robots.find((one) => one.held.includes(place));
  const words = [
    station ? r.station(station) : "",
    map.chargers.includes(place) ? r.charger : "",
    map.parking.includes(place) ? r.parking : "",
    holder ? r.heldBy(holder.title) : r.free,
  ];
  return words.filter(Boolean).join(", ");
}
