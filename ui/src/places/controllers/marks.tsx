import type { ControllerAnswer } from "../../api/types";
import { t } from "../../texts/en";

const c = t.controllers.answers;

/** SVG paths in a 16 x 16 box: tick, cross, dashes; no answer is told by colour alone. */
const SHAPES: Record<ControllerAnswer["outcome"], string> = {
  proven: "M6.2 13L1.5 8.3l1.7-1.7 3 3 6.6-6.6 1.7 1.7z",
  violated: "M3.4 1.7L8 6.3l4.6-4.6 1.7 1.7L9.7 8l4.6 4.6-1.7 1.7L8 9.7l-4.6 4.6-1.7-1.7L6.3 8 1.7 3.4z",
  "no violation up to depth": "M1.5 6.8h3v2.4h-3zm5 0h3v2.4h-3zm5 0h3v2.4h-3z",
};

export function answerText(answer: ControllerAnswer): string {
  if (answer.outcome === "violated") return c.violatedAfter((answer.counterexample?.steps.length ?? 1) - 1);
  if (answer.outcome !== "proven") return c.upTo(answer.depth);
  return answer.proof?.method === "k-induction" ? c.byInduction(answer.proof.k) : c.byReachability;
}

/** What is known of a property, as shape and word. */
export function AnswerMark({ answer }: { answer: ControllerAnswer }) {
  return (
    <span className={`answer-mark outcome-${answer.outcome.split(" ")[0]}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[answer.outcome]} />
      </svg>
      {answerText(answer)}
    </span>
  );
}
