import type { TwinSummary } from "../../api/types";
import { AlarmCount } from "../../parts/AlarmCount";
import { Since } from "../../parts/Clock";
import { StateMark } from "../../parts/StateMark";
import { stateName, toneOf } from "../../parts/states";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { below, isGroup } from "../../data/twins";
import { StateCounts } from "../../parts/StateCounts";
import { Freshness } from "./columns";

/** Machines as tiles, for a glance from a distance. */
export function Tiles({ twins, titles, all = [] }: { twins: TwinSummary[]; titles: ReadonlyMap<string, string>; all?: readonly TwinSummary[] }) {
  return (
    <ul className="tiles">
      {twins.map((twin) => (
        <li key={twin.id}>
          <Link place={`machines/${twin.id}`} className={`tile tone-${toneOf(stateName(twin.state?.state))}`}>
            <span className="tile-title">{twin.title || twin.id}</span>
            <span className="weak tile-sub">{[titles.get(twin.parent ?? "") ?? twin.parent, twin.place].filter(Boolean).join(" · ") || twin.type}</span>
            {isGroup(twin) ? <StateCounts machines={below(twin.id, all)} /> : <MachineNow twin={twin} />}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function MachineNow({ twin }: { twin: TwinSummary }) {
  return (
    <>
      <StateMark state={twin.state?.state} />
      <span className="tile-foot">
        <span>{twin.state?.since ? <Since at={twin.state.since} /> : "–"}</span>
        <span>
          {t.fleet.col.alarms} <AlarmCount count={twin.alarms} />
        </span>
        <Freshness seconds={twin.freshness_s} />
      </span>
    </>
  );
}
