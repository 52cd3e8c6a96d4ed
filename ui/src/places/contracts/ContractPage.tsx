import { type ComponentType, lazy, Suspense } from "react";
import type { ContractDetail } from "../../api/types";
import { useContract } from "../../data/contracts";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { TabList } from "../../parts/TabList";
import { Link, useRoute } from "../../route/router";
import { t } from "../../texts/en";
import { LifePill } from "./Contracts";
import { StatusTab } from "./StatusTab";

const c = t.contracts;
type Tab = keyof typeof c.tabs;

const TABS: Record<Tab, ComponentType<{ contract: ContractDetail }>> = {
  status: StatusTab,
  time: lazy(() => import("./TimeTab").then((m) => ({ default: m.TimeTab }))),
  claims: lazy(() => import("./ClaimsTab").then((m) => ({ default: m.ClaimsTab }))),
  money: lazy(() => import("./SettlementsTab").then((m) => ({ default: m.SettlementsTab }))),
  trial: lazy(() => import("./TrialTab").then((m) => ({ default: m.TrialTab }))),
  terms: lazy(() => import("./TermsTab").then((m) => ({ default: m.TermsTab }))),
};

/** One contract: where it stands, why, what waits, what it is worth, and what was agreed. */
export default function ContractPage({ id }: { id: string }) {
  const answer = useContract(id);
  if (answer.error?.status === 404) {
    return (
      <Empty title={c.notFound}>
        <Link place="contracts">{c.title}</Link>
      </Empty>
    );
  }
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={10} />}>
      {(contract) => <ContractView contract={contract} />}
    </Loaded>
  );
}

function ContractView({ contract }: { contract: ContractDetail }) {
  const { parts } = useRoute();
  const tabs = (Object.keys(TABS) as Tab[]).filter((tab) => contract.level !== null || tab === "money" || tab === "terms");
  const asked = (parts[2] ?? "") as Tab;
  const tab = tabs.includes(asked) ? asked : (tabs[0] ?? "terms");
  const Page = TABS[tab];
  return (
    <>
      <header className="twin-head">
        <div>
          <p className="crumbs">
            <Link place="contracts">{c.title}</Link>
          </p>
          <h1>{contract.title}</h1>
          <p className="twin-sub weak">
            {contract.id}@{contract.version} · {contract.provider} → {contract.customer} · {contract.machines.join(", ")}
          </p>
        </div>
        <div className="twin-now">
          <LifePill life={contract.life} />
          {contract.waiting ? <span className="pill warning">{c.waiting(contract.waiting)}</span> : null}
        </div>
      </header>
      <TabList base={`contracts/${contract.id}`} tabs={tabs} titles={c.tabs} current={tab} />
      <div className="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        <Suspense fallback={<Skeleton lines={8} />}>
          <Page contract={contract} />
        </Suspense>
      </div>
    </>
  );
}
