import { useState } from "react";
import { useAct } from "../../../data/useAct";
import { Problem } from "../../../parts/Feedback";
import { mayPlan, useAccount } from "../../../session/session";
import { t } from "../../../texts/en";

const f = t.life.fleet;

/** Lets a model be learnt anew; what the node refuses is said. */
export function Train({ name, ask }: { name: string; ask: () => Promise<unknown> }) {
  const account = useAccount();
  const [asked, setAsked] = useState(false);
  const { act, busy, problem } = useAct(() => {
    setAsked(true);
  });
  if (!mayPlan(account)) return null;
  return (
    <div>
      {asked ? (
        <p role="status">{f.training}</p>
      ) : (
        <button type="button" className="plain" aria-label={f.trainOf(name)} disabled={busy} onClick={() => void act(ask)}>
          {f.train}
        </button>
      )}
      {problem ? <Problem error={problem} /> : null}
    </div>
  );
}
