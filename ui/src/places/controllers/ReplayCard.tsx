import { useEffect, useState } from "react";
import { ApiError } from "../../api/client";
import type { ControllerDetail, ControllerReplay } from "../../api/types";
import { askReplay, useReplays } from "../../data/controllers";
import { useLiveValues } from "../../live/live";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import type { NamedRun } from "./runs";

const c = t.controllers.replay;
const PACES = [1, 2, 5, 10];
const STEP = "run.step";

interface ReplayCardProps {
  controller: ControllerDetail;
  chosen: NamedRun;
  property: string;
  go: (step: number) => void;
}

/** Drives the run into a simulated machine; the player follows what that machine shows. */
export function ReplayCard({ controller, chosen, property, go }: ReplayCardProps) {
  const versions = [...new Set([chosen.version, controller.version])];
  const [version, setVersion] = useState(chosen.version);
  const [pace, setPace] = useState(2);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const reference = `${controller.name}@${version}`;
  const answer = useReplays(reference);
  const last = answer.data?.find((one) => one.property === property && one.inputs_of === chosen.version);
  const working = last?.state === "waiting" || last?.state === "running";
  const ask = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await askReplay(reference, { property, inputs_of: chosen.version, pace });
      answer.reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={c.title}>
      <p className="weak">{c.what}</p>
      <div className="check-form">
        <label>
          {c.model}
          <select value={version} onChange={(event) => setVersion(Number(event.target.value))}>
            {versions.map((one) => (
              <option key={one} value={one}>
                {one === chosen.version ? c.own(one) : c.other(one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {c.pace}
          <select value={pace} onChange={(event) => setPace(Number(event.target.value))}>
            {PACES.map((one) => (
              <option key={one} value={one}>
                {c.aSecond(one)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="primary" disabled={busy || working || !controller.may_check} onClick={() => void ask()}>
          {c.start}
        </button>
      </div>
      {controller.may_check ? null : <p className="weak">{t.controllers.check.mayNot}</p>}
      {problem ? <Problem error={problem} /> : null}
      {answer.error ? <Problem error={answer.error} retry={answer.reload} /> : null}
      {last ? <Standing key={last.id} replay={last} go={go} /> : <p className="weak">{c.none}</p>}
    </Card>
  );
}

/** Where a replay stands: the step that the simulated machine says it is at, then what was judged. */
function Standing({ replay, go }: { replay: ControllerReplay; go: (step: number) => void }) {
  const working = replay.state === "waiting" || replay.state === "running";
  const live = useLiveValues(working ? replay.twin : null);
  const told = live[STEP]?.[1];
  const step = working && typeof told === "number" ? told : null;
  // What another version does is not what the player shows: it stands still then.
  const followed = replay.controller.endsWith(`@${replay.inputs_of}`) ? step : null;
  useEffect(() => {
    if (followed !== null) go(followed);
    // The player follows the machine, not the page that draws it anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [followed]);
  const broken = replay.broken_at !== null;
  return (
    <>
      <p role="status" className={broken ? "outcome-violated" : ""}>
        {working ? <span className="pill warning">{step === null ? c.begins : c.at(step, replay.positions - 1)}</span> : null}
        {replay.state === "done" ? (
          <strong>
            {broken ? "✕ " : "✓ "}
            {replay.says}
          </strong>
        ) : null}
        {replay.state === "failed" && replay.fault ? `${c.failed}: ${replay.fault.message}. ${replay.fault.hint}` : null}
      </p>
      <p className="weak">
        <Link place={`machines/${replay.twin}`}>{c.watch}</Link> <span className="code">{replay.twin}</span>
        {replay.ended ? (
          <>
            {" · "}
            <Time at={replay.ended} precision="second" />
          </>
        ) : null}
      </p>
    </>
  );
}
