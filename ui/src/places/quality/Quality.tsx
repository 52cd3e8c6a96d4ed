import { IxContentHeader } from "@siemens/ix-react";
import "../../styles/quality.css";
import { Empty } from "../../parts/Feedback";
import { TabList } from "../../parts/TabList";
import { Link, useRoute } from "../../route/router";
import { t } from "../../texts/en";
import { Control } from "./Control";
import { Life } from "./Life";
import { Parts } from "./Parts";
import { RecallTab } from "./RecallTab";
import { Yields } from "./Yields";

const TABS = ["parts", "recall", "control", "yields"] as const;
type Tab = (typeof TABS)[number];
const PAGES: Record<Tab, () => React.JSX.Element> = { parts: Parts, recall: RecallTab, control: Control, yields: Yields };

/** Traced parts, recalls, process control. */
export default function Quality() {
  const { parts, params } = useRoute();
  const tab = (parts[1] ?? "parts") as Tab;
  const Page = PAGES[tab];
  const part = params.get("part");
  if (!Page) {
    return (
      <Empty title={t.noSuchPage}>
        <Link place="quality">{t.quality.title}</Link>
      </Empty>
    );
  }
  return (
    <>
      <IxContentHeader headerTitle={t.quality.title} />
      <TabList base="quality" tabs={TABS} titles={t.quality.tabs} current={tab} />
      <div role="tabpanel" aria-labelledby={`tab-${tab}`} className="quality">
        {tab === "parts" && part ? <Life key={part} id={part} /> : <Page />}
      </div>
    </>
  );
}
