import type { LevelName } from "../api/types";
import { t } from "../texts/en";

const ARROWS: Record<LevelName, string> = { model: "○", shadow: "→", twin: "⇄" };

/** The measured level of a twin: model, shadow or twin. */
export function LevelMark({ level }: { level: LevelName }) {
  return (
    <span className={`level level-${level}`} title={t.levelHints[level]}>
      <span aria-hidden="true">{ARROWS[level]}</span> {t.levels[level]}
    </span>
  );
}
