import { useState } from "react";
import { ApiError } from "../../api/client";
import type { Job } from "../../api/types";
import { setReplanning, useReplanning } from "../../data/schedules";
import { useHappened } from "../../live/live";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";

const b = t.plan.board;

/** Whether a new plan is asked for whenever reality changes; and the newest such proposal, with what made it necessary. */
export function PlanByItself({ may, how, newest, shown, compare }: { may: boolean; how: { budget: number; freeze: number }; newest: Job | undefined; shown: string; compare: (job: string) => void }) {
  const wish = useReplanning();
  const [why, setWhy] = useState<Record<string, string[]>>({});
  useHappened((event) => {
    if (event.kind !== "plan" || event.data.happened !== "asked-anew") return;
    const { job, why: reasons } = event.data as { job: string; why: string[] };
    setWhy((known) => ({ ...known, [job]: reasons }));
  });
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
          {why[proposal.id]?.length ? b.proposedBecause((why[proposal.id] ?? []).join(", ")) : b.proposed}{" "}
          <button type="button" className="plain" onClick={() => compare(proposal.id)}>
            {b.compareIt}
          </button>
        </p>
      ) : null}
    </>
  );
}
