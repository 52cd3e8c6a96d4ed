import { get, path } from "../../api/client";
import type { ContractSummary, Exclusion, Page } from "../../api/types";
import { useContracts } from "../../data/contracts";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { Link } from "../../route/router";
import { ClaimCard } from "./ClaimCard";
import { money } from "./money";

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
  const offers = (contracts.data?.items ?? []).filter((one) => one.life === "offered" && [one.provider, one.customer].includes(party) && !one.signed_by.includes(party));
  const titles = new Map((contracts.data?.items ?? []).map((one) => [one.id, one.title]));
  return (
    <>
      <h1 className="place-title">{c.inbox}</h1>
      <Loaded answer={claims} skeleton={<Skeleton lines={6} />}>
        {(all) => {
          const waiting = all.filter((claim) => claim.waiting_for.split(" and ").includes(party));
          const other = all.filter((claim) => claim.waiting_for && !waiting.includes(claim));
          return (
            <>
              {waiting.length + offers.length === 0 ? <Empty title={c.inboxNone} /> : null}
              <Offers offers={offers} />
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

/** Terms that the other party has signed. */
function Offers({ offers }: { offers: ContractSummary[] }) {
  if (offers.length === 0) return null;
  return (
    <Card title={t.offer.waiting} className="waiting-offers">
      <ul className="levers">
        {offers.map((one) => (
          <li key={one.id}>
            <span>
              <strong>{one.title}</strong>{" "}
              <span className="weak">
                {one.provider} → {one.customer}, {money(one.fee, one.currency)} {t.contracts.per[one.per as keyof typeof t.contracts.per]}
              </span>
            </span>
            <Link place={`contracts/${one.id}/terms`}>{t.offer.look}</Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
