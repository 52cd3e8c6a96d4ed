import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import { t } from "../../texts/en";

/** A tab of the place Plan: one line each, loaded when it is opened. */
interface PlanTab {
  id: string;
  title: string;
  page: LazyExoticComponent<ComponentType>;
}

export const tabs: readonly PlanTab[] = [
  { id: "board", title: t.plan.tabs.board, page: lazy(() => import("./Board")) },
  { id: "just-in-time", title: t.plan.tabs.justInTime, page: lazy(() => import("./JustInTime")) },
  { id: "routine", title: t.routine.tab, page: lazy(() => import("./routine/Routine")) },
  { id: "maintenance", title: t.maintenance.tabs.maintenance, page: lazy(() => import("./maintenance/Maintenance")) },
  { id: "routes", title: t.maintenance.tabs.routes, page: lazy(() => import("./maintenance/Routes")) },
  { id: "my-jobs", title: t.maintenance.tabs.myJobs, page: lazy(() => import("./maintenance/MyJobs")) },
  { id: "jobs", title: t.plan.tabs.jobs, page: lazy(() => import("./Jobs")) },
  { id: "life", title: t.life.fleet.tab, page: lazy(() => import("./RemainingLives")) },
  { id: "robots", title: t.robots.tab, page: lazy(() => import("./robots/Robots")) },
  { id: "scenarios", title: t.plan.tabs.scenarios, page: lazy(() => import("./Scenarios")) },
  { id: "set-ups", title: t.setups.tab, page: lazy(() => import("./setups/SetUps")) },
];
