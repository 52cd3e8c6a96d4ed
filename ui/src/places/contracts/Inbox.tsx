import { get, path } from "../../api/client";
import type { Exclusion, Page } from "../../api/types";
import { useContracts } from "../../data/contracts";
import { useQuery } from "../../data/query";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { ClaimCard } from "./ClaimCard";

const c = t.claims;

/** What waits for the own party's decision, over all contracts. */
export default function Inbox() {
  const contracts = useContracts();
  const { party } = useAccount();
  const ids = (contracts.data?.items ?? []).filter((one) => one.level !== null).map((one) => one.id);
  const claims = useQuery(
    contracts.data ? `inbox ${ids.join(",")}` : null,
    async (signal) => (await Promise.all(ids.map((id) => get<Page<Exclusion>>(path`/contracts/${id}/exclusions`, { limit: 1000 }, signal)))).flatMap((page) => page.items),
    10_000,
  );
  const titles = new Map((contracts.data?.items ?? []).map((one) => [one.id, one.title]));
  return (
    <>
      <h1>{c.inbox}</h1>
      <Loaded answer={claims} skeleton={<Skeleton lines={6} />}>
        {(all) => {
          const waiting = all.filter((claim) => claim.waiting_for.split(" and ").includes(party));
          const other = all.filter((claim) => claim.waiting_for && !waiting.includes(claim));
          return (
            <>
              {waiting.length === 0 ? <Empty title={c.inboxNone} /> : null}
              <ul className="claims">
                {[...waiting, ...other].map((claim) => (
                  <ClaimCard key={claim.id} claim={claim} contract={titles.get(claim.contract) ?? claim.contract} machineValue />
                ))}
              </ul>
            </>
          );
        }}
      </Loaded>
    </>
  );
}
