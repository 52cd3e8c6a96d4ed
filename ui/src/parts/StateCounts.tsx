import type { TwinSummary } from "../api/types";
import { t } from "../texts/en";
import { StateMark } from "./StateMark";
import { stateName, STATES } from "./states";

/** How many machines are in each state. */
export function StateCounts({ machines }: { machines: readonly TwinSummary[] }) {
  const counts = new Map<string, number>();
  for (const one of machines) {
    const name = stateName(one.state?.state);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (machines.length === 0) return null;
  return (
    <ul className="state-counts" aria-label={t.twin.tabs.states}>
      {STATES.filter((name) => counts.has(name)).map((name) => (
        <li key={name}>
          <span className="num state-count">{counts.get(name)}</span> <StateMark state={name} />
        </li>
      ))}
    </ul>
  );
}
