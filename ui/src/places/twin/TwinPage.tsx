import { type ComponentType, lazy, Suspense } from "react";
import type { TwinDetail } from "../../api/types";
import { isGroup, useTwin } from "../../data/twins";
import { Since } from "../../parts/Clock";
import { ParentLink } from "./ParentLink";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { LevelMark } from "../../parts/LevelMark";
import { StateMark } from "../../parts/StateMark";
import { TabList } from "../../parts/TabList";
import { Link, useRoute } from "../../route/router";
import { t } from "../../texts/en";
import { GroupOverview } from "./GroupOverview";
import { Overview } from "./Overview";

const TABS: Record<Tab, ComponentType<{ twin: TwinDetail }>> = {
  overview: Overview,
  health: lazy(() => import("./Health").then((m) => ({ default: m.Health }))),
  trends: lazy(() => import("./Trends").then((m) => ({ default: m.Trends }))),
  states: lazy(() => import("./States").then((m) => ({ default: m.States }))),
  requirements: lazy(() => import("./Requirements").then((m) => ({ default: m.Requirements }))),
  controllers: lazy(() => import("./Controllers").then((m) => ({ default: m.Controllers }))),
  oee: lazy(() => import("./OeeTab").then((m) => ({ default: m.OeeTab }))),
  availability: lazy(() => import("./AvailabilityTab").then((m) => ({ default: m.AvailabilityTab }))),
  commands: lazy(() => import("./Commands").then((m) => ({ default: m.Commands }))),
  level: lazy(() => import("./Level").then((m) => ({ default: m.Level }))),
  data: lazy(() => import("./Data").then((m) => ({ default: m.Data }))),
};

type Tab = keyof typeof t.twin.tabs;

const NOT_OF_GROUPS: Tab[] = ["health", "states", "requirements", "controllers", "level"];
/** A simulated machine has values and nothing that counts. */
const OF_SIMULATED: Tab[] = ["overview", "trends", "data"];

function tabsOf(twin: TwinDetail): Tab[] {
  const all = Object.keys(TABS) as Tab[];
  if (twin.simulates) return OF_SIMULATED;
  return all.filter((tab) => !(tab === "commands" && twin.commands.length === 0) && !(isGroup(twin) && NOT_OF_GROUPS.includes(tab)));
}

/** One twin: machine, component, line, factory or fleet. */
export default function TwinPage({ id }: { id: string }) {
  const answer = useTwin(id);
  if (answer.error?.status === 404) {
    return (
      <Empty title={t.twin.notFound}>
        <Link place="machines">{t.nav.machines}</Link>
      </Empty>
    );
  }
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={10} />}>
      {(twin) => <TwinView twin={twin} />}
    </Loaded>
  );
}

function TwinView({ twin }: { twin: TwinDetail }) {
  const { parts } = useRoute();
  const tabs = tabsOf(twin);
  const asked = (parts[2] ?? "overview") as Tab;
  const tab = tabs.includes(asked) ? asked : "overview";
  const Page = tab === "overview" && isGroup(twin) ? GroupOverview : TABS[tab];
  return (
    <>
      <TwinHead twin={twin} />
      {twin.simulates ? (
        <p className="controller-note" role="note">
          {t.controllers.replay.banner(twin.simulates)} <Link place={`controllers/${twin.simulates}`}>{t.controllers.replay.back}</Link>
        </p>
      ) : null}
      <TabList base={`machines/${twin.id}`} tabs={tabs} titles={t.twin.tabs} current={tab} />
      <div role="tabpanel" aria-labelledby={`tab-${tab}`} className="tab-panel">
        <Suspense fallback={<Skeleton lines={8} />}>
          <Page twin={twin} />
        </Suspense>
      </div>
    </>
  );
}

function TwinHead({ twin }: { twin: TwinDetail }) {
  const { state } = twin;
  return (
    <header className="twin-head">
      <div>
        <nav className="crumbs" aria-label={t.twin.partOf}>
          <Link place="machines">{t.nav.machines}</Link>
          {twin.parent ? (
            <>
              <span aria-hidden="true">›</span>
              <ParentLink id={twin.parent} />
            </>
          ) : null}
        </nav>
        <h1>{twin.title || twin.id}</h1>
        <p className="weak twin-sub">
          {[twin.simulates ? t.controllers.replay.kind : t.kinds[twin.kind], twin.type, twin.serial, twin.place].filter(Boolean).join(" · ")}
        </p>
      </div>
      <div className="twin-now">
        {state ? (
          <span className="twin-state">
            <StateMark state={state.state} big />
            <span className="weak">
              {state.since ? (
                <>
                  {t.twin.since} <Since at={state.since} />
                </>
              ) : null}
              {state.word ? ` · “${state.word}”` : ""}
              {state.cause ? ` · ${state.cause}` : ""}
            </span>
          </span>
        ) : null}
        {twin.simulates ? null : <LevelMark level={twin.level.level} />}
      </div>
    </header>
  );
}
