import { useMemo } from "react";
import { get, path } from "../../api/client";
import type { StateHistory, TwinSummary } from "../../api/types";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { useMoment, useZone } from "../../parts/Clock";
import { MiniStrip } from "../../parts/MiniStrip";
import { StateMark } from "../../parts/StateMark";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { startOfDay, toRfc3339 } from "../../time/instant";
import { stripItem } from "../twin/useStates";

const SHOWN = 8;
const REFRESH_MS = 60_000;

/** The machines of a line, each with its states since midnight. */
export function TodayStrips({ machines }: { machines: readonly TwinSummary[] }) {
  return (
    <ul className="today-strips">
      {machines.slice(0, SHOWN).map((machine) => (
        <TodayStrip key={machine.id} machine={machine} />
      ))}
    </ul>
  );
}

function TodayStrip({ machine }: { machine: TwinSummary }) {
  const zone = useZone();
  const asOf = useAsOfText();
  const moment = useMoment(REFRESH_MS);
  const from = startOfDay(moment, zone);
  const answer = useQuery(
    machine.state ? `strip ${machine.id} ${from} ${asOf ?? "now"}` : null,
    (signal) => get<StateHistory>(path`/twins/${machine.id}/states`, { from: toRfc3339(from), to: asOf ?? toRfc3339(Date.now()) }, signal),
    asOf === null ? REFRESH_MS : 0,
  );
  const items = useMemo(() => (answer.data?.intervals ?? []).map(stripItem), [answer.data]);
  // The whole day wide, so that what is left of it is seen as well.
  const window = useMemo(() => ({ from, to: from + 86_400_000 }), [from]);
  return (
    <li>
      <Link place={`machines/${machine.id}`}>{machine.title || machine.id}</Link>
      <MiniStrip label={`${machine.title || machine.id}, ${t.home.today}`} items={items} window={window} />
      <StateMark state={machine.state?.state} />
    </li>
  );
}
