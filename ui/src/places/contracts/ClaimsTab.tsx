import type { ContractDetail } from "../../api/types";
import { useExclusions } from "../../data/contracts";
import { Empty, Loaded } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { ClaimCard } from "./ClaimCard";

const c = t.claims;

/** Claims under a contract: what waits first, then what was decided. */
export function ClaimsTab({ contract }: { contract: ContractDetail }) {
  const answer = useExclusions(contract.id);
  return (
    <Loaded answer={answer}>
      {(page) => {
        if (page.items.length === 0) return <Empty title={c.none}>{c.noneHint}</Empty>;
        const newest = [...page.items].reverse();
        const waiting = newest.filter((claim) => claim.waiting_for);
        const decided = newest.filter((claim) => !claim.waiting_for);
        return (
          <>
            {waiting.length ? (
              <section aria-label={c.waiting}>
                <h2>{c.waiting}</h2>
                <ul className="claims">
                  {waiting.map((claim) => (
                    <ClaimCard key={claim.id} claim={claim} machineValue />
                  ))}
                </ul>
              </section>
            ) : null}
            {decided.length ? (
              <section aria-label={c.decided}>
                <h2>{c.decided}</h2>
                <ul className="claims">
                  {decided.map((claim) => (
                    <ClaimCard key={claim.id} claim={claim} />
                  ))}
                </ul>
              </section>
            ) : null}
          </>
        );
      }}
    </Loaded>
  );
}
