import { IxContentHeader } from "@siemens/ix-react";
import { Suspense } from "react";
import { Empty, Skeleton } from "../../parts/Feedback";
import { TabList } from "../../parts/TabList";
import { Link, useRoute } from "../../route/router";
import { t } from "../../texts/en";
import { tabs } from "./tabs";

const ids = tabs.map((tab) => tab.id);
const titles = Object.fromEntries(tabs.map((tab) => [tab.id, tab.title]));

/** What is to be done when, and what works it out. */
export default function Plan() {
  const { parts } = useRoute();
  const wanted = parts[1] ?? ids[0] ?? "";
  const current = tabs.find((tab) => tab.id === wanted);
  if (!current) {
    return (
      <Empty title={t.noSuchPage}>
        <Link place="plan">{t.nav.plan}</Link>
      </Empty>
    );
  }
  const Page = current.page;
  return (
    <>
      <IxContentHeader headerTitle={t.nav.plan} />
      <TabList base="plan" tabs={ids} titles={titles} current={current.id} />
      <div role="tabpanel" aria-labelledby={`tab-${current.id}`}>
        <Suspense fallback={<Skeleton lines={8} />}>
          <Page />
        </Suspense>
      </div>
    </>
  );
}
