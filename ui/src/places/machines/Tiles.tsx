import { useState } from "react";
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

/** As many as a wall shows at a glance; a thousand at once keep the browser busy for seconds. */
const AT_A_TIME = 120;

/** Machines as tiles, for a glance from a distance; more of them when asked for. */
export function Tiles({ twins, titles, all = [] }: { twins: TwinSummary[]; titles: ReadonlyMap<string, string>; all?: readonly TwinSummary[] }) {
  const [many, setMany] = useState(AT_A_TIME);
  const left = twins.length - many;
  return (
    <>
      <ul className="tiles">
        {twins.slice(0, many).map((twin) => (
          <li key={twin.id}>
            <Link place={`machines/${twin.id}`} className={`tile tone-${toneOf(stateName(twin.state?.state))}`}>
              <span className="tile-title">{twin.title || twin.id}</span>
              <span className="weak tile-sub">{[titles.get(twin.parent ?? "") ?? twin.parent, twin.place].filter(Boolean).join(" · ") || twin.type}</span>
              {isGroup(twin) ? <StateCounts machines={below(twin.id, all)} /> : <MachineNow twin={twin} />}
            </Link>
          </li>
        ))}
      </ul>
      {left > 0 ? (
        <p className="hint">
          <button type="button" className="plain" onClick={() => setMany(many + AT_A_TIME)}>
            {t.fleet.moreTiles(Math.min(left, AT_A_TIME), left)}
          </button>
        </p>
      ) : null}
    </>
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
