import type { CaseExplanation } from "../../api/types";
import { t } from "../../texts/en";
import { leaves, pieces } from "./formula";
import { VerdictMark } from "./marks";

const VERDICTS = ["false", "true", "inconclusive"] as const;

/** A formula with its parts told by verdict: colour, and a kind of underline for those who do not see it. */
export function FormulaText({ formula, explanation }: { formula: string; explanation: CaseExplanation | null }) {
  const parts = explanation?.parts ?? [];
  return (
    <>
      <p className="formula code">
        {pieces(formula, parts).map((piece, i) => (
          <span key={i} className={piece.verdict ? `part part-${piece.verdict}` : undefined} title={piece.verdict ? t.partVerdicts[piece.verdict] : undefined}>
            {piece.text}
          </span>
        ))}
      </p>
      {parts.length ? (
        <>
          <p className="legend formula-legend" aria-hidden="true">
            {VERDICTS.map((verdict) => (
              <span key={verdict} className={`part part-${verdict}`}>
                {t.partVerdicts[verdict]}
              </span>
            ))}
          </p>
          <ul className="formula-parts" aria-label={t.case.formulaParts}>
            {leaves(formula, parts).map((leaf, i) => (
              <li key={i}>
                <span className="code">{leaf.text}</span> <VerdictMark verdict={leaf.verdict} words={t.partVerdicts} />
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </>
  );
}
