import { useState } from "react";
import { ApiError } from "../../api/client";
import type { Job, ScheduleLine } from "../../api/types";
import { setReplanning, useReplanning } from "../../data/schedules";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";

const b = t.plan.board;

/** Whether a new plan is asked for whenever reality changes; what is proposed, by itself or by a shift; and why the plan shown was made. */
export function PlanByItself({ may, how, newest, asked, shown, why, compare }: { may: boolean; how: { budget: number; freeze: number }; newest: Job | undefined; asked: ScheduleLine[]; shown: string; why: string[]; compare: (plan: string) => void }) {
  const wish = useReplanning();
  const [wanted, setWanted] = useState<boolean | null>(null);
  const change = (on: boolean): void => {
    setWanted(on);
    setReplanning(on, how.budget, how.freeze).then(
      () => {
        wish.reload();
        notify(on ? b.byItselfOn : b.byItselfOff, "success");
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        setWanted(null);
        notify(error.fault.message, "error");
      },
    );
  };
  const proposal = newest?.by === "servitwin" && newest.plans > 0 && newest.id !== shown ? newest : undefined;
  return (
    <>
      {may ? (
        <label className="board-by-itself">
          <input type="checkbox" checked={wanted ?? wish.data ?? false} disabled={wish.data === undefined} onChange={(event) => change(event.target.checked)} /> {b.byItself}
        </label>
      ) : null}
      {proposal ? (
        <p className="board-proposal" role="status">
          {proposal.why.length ? b.proposedBecause(proposal.why.join(", ")) : b.proposed}{" "}
          <button type="button" className="plain" onClick={() => compare(proposal.id)}>
            {b.compareIt}
          </button>
        </p>
      ) : null}
      {asked
        .filter((one) => one.id !== shown)
        .map((one) => (
          <p key={one.id} className="board-proposal" role="status">
            {b.shiftAsks(one.why.at(-1) ?? one.note)}{" "}
            <button type="button" className="plain" onClick={() => compare(one.id)}>
              {b.compareIt}
            </button>
          </p>
        ))}
      {why.length ? <p className="board-proposal">{b.madeBecause(why.join(", "))}</p> : null}
    </>
  );
}
