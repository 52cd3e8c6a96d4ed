import { t } from "../texts/en";
import { GLYPHS, stateName, toneOf } from "./states";

/** A state as glyph and word; only abnormal states have a saturated colour. */
export function StateMark({ state, big = false }: { state: string | null | undefined; big?: boolean }) {
  const name = stateName(state);
  return (
    <span className={`state-mark tone-${toneOf(name)}${big ? " big" : ""}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={GLYPHS[name]} fillRule="evenodd" />
      </svg>
      <span>{t.states[name]}</span>
    </span>
  );
}
