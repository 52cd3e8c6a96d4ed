import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import { t } from "../../texts/en";

/** A tab of the place Plan: one line each, loaded when it is opened. */
interface PlanTab {
  id: string;
  title: string;
  page: LazyExoticComponent<ComponentType>;
}

export const tabs: readonly PlanTab[] = [
  { id: "jobs", title: t.plan.tabs.jobs, page: lazy(() => import("./Jobs")) },
  { id: "scenarios", title: t.plan.tabs.scenarios, page: lazy(() => import("./Scenarios")) },
];
