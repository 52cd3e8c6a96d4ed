import { t } from "../../texts/en";

const r = t.releases;

/** Where a release stands, by a word with its shape. */
export function StateWord({ state }: { state: string }) {
  return (
    <span className={`gate-state gate-${state}`}>
      {r.marks[state]} {r.states[state]}
    </span>
  );
}
