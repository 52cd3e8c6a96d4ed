import type { ControllerDetail } from "../../api/types";
import { useController } from "../../data/controllers";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link, setParams, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { Answers } from "./Answers";
import { Chart } from "./Chart";
import { CheckCard } from "./CheckCard";
import { Comparison } from "./Comparison";
import { Conformance, Defects, Limits } from "./Findings";
import { Player } from "./Player";
import { ReplayCard } from "./ReplayCard";
import { type NamedRun, runsOf } from "./runs";

const c = t.controllers;

/** One version of a controller: its chart, what is proven of it, and runs that break what is not. */
export default function ControllerPage({ reference }: { reference: string }) {
  const answer = useController(reference);
  if (answer.error?.status === 404) {
    return (
      <Empty title={c.notFound}>
        <Link place="controllers">{c.title}</Link>
      </Empty>
    );
  }
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={10} />}>
      {(controller) => <ControllerView controller={controller} reload={answer.reload} />}
    </Loaded>
  );
}

function ControllerView({ controller, reload }: { controller: ControllerDetail; reload: () => void }) {
  const check = controller.finished;
  const runs = runsOf(check, controller.version);
  const [asked] = useParam("run");
  const [stepText] = useParam("step", "0");
  const chosen: NamedRun | undefined = runs.find((one) => one.key === asked) ?? runs[0];
  const step = Math.max(0, Math.min(Math.trunc(Number(stepText)) || 0, (chosen?.run.steps.length ?? 1) - 1));
  const olderVersion = check?.comparison?.older.version ?? (chosen && chosen.version !== controller.version ? chosen.version : null);
  const older = useController(olderVersion === null ? null : `${controller.name}@${olderVersion}`);
  const ofOlder = chosen !== undefined && chosen.version !== controller.version;
  const shown = ofOlder ? older.data : controller;
  const goTo = (next: number): void => setParams({ run: chosen?.key ?? "", step: next === 0 ? "" : String(next) });
  const choose = (key: string): void => setParams({ run: key, step: "" });
  const show = (key: string): void => {
    choose(key);
    document.querySelector(".run-card")?.scrollIntoView?.({ block: "nearest" });
  };
  return (
    <>
      <header className="twin-head">
        <div>
          <p className="crumbs">
            <Link place="controllers">{c.title}</Link>
          </p>
          <h1>{controller.title || controller.name}</h1>
          <p className="twin-sub weak">
            {controller.reference} · {controller.twin ? <Link place={`machines/${controller.twin}`}>{controller.twin}</Link> : c.type(controller.machine_type)}
            {controller.versions.length > 1 ? (
              <>
                {` · ${c.versions}: `}
                {controller.versions.map((version) => (
                  <span key={version}>
                    {version === controller.version ? <strong>{version}</strong> : <Link place={`controllers/${controller.name}@${version}`}>{String(version)}</Link>}{" "}
                  </span>
                ))}
              </>
            ) : null}
          </p>
        </div>
      </header>
      <p className="controller-note">{check?.fit ?? c.modelNote}</p>
      <div className="controller-columns">
        <div className="controller-side">
          <Answers controller={controller} check={check} show={show} shown={chosen?.key ?? ""} />
          {check?.comparison ? <Comparison comparison={check.comparison} newer={controller} older={older.data} show={show} /> : null}
        </div>
        <div className="controller-side">
          <Card title={`${c.chart.title}${ofOlder ? `, ${c.player.version(chosen.version)}` : ""}`}>
            {shown ? <Chart regions={shown.regions} step={chosen?.run.steps[step] ?? null} /> : <Skeleton height={200} />}
          </Card>
          {chosen ? (
            <Player key={chosen.key} runs={runs} chosen={chosen} choose={choose} at={step} go={goTo} />
          ) : check ? (
            <Card title={c.player.title}>
              <p className="weak">{c.player.none}</p>
            </Card>
          ) : null}
          {chosen?.property ? <ReplayCard key={`replay ${chosen.key}`} controller={controller} chosen={chosen} property={chosen.property} go={goTo} /> : null}
        </div>
      </div>
      {check?.report ? <Defects report={check.report} show={show} /> : null}
      {check?.conformance ? <Conformance conformance={check.conformance} /> : null}
      <Limits limits={controller.limits} unsettled={check?.report?.unsettled ?? []} />
      <CheckCard controller={controller} reload={reload} />
    </>
  );
}
