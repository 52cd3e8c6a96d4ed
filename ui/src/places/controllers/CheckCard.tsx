import { type FormEvent, useState } from "react";
import { ApiError } from "../../api/client";
import type { ControllerDetail } from "../../api/types";
import { askCheck } from "../../data/controllers";
import { useTwins } from "../../data/twins";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { MachineOptions } from "../../parts/MachineOptions";
import { t } from "../../texts/en";

const c = t.controllers.check;

/** Ask for a check, see where it stands, and take along what another solver confirms. */
export function CheckCard({ controller, reload }: { controller: ControllerDetail; reload: () => void }) {
  const older = controller.versions.filter((version) => version !== controller.version);
  const [against, setAgainst] = useState(String(older.filter((version) => version < controller.version).pop() ?? ""));
  const [twin, setTwin] = useState("");
  const [depth, setDepth] = useState(60);
  const [seconds, setSeconds] = useState(60);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const twins = useTwins();
  const { check, finished } = controller;
  const working = check?.state === "waiting" || check?.state === "running";
  const ask = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await askCheck(controller.reference, { depth, seconds, against: against ? Number(against) : null, twin: twin || null });
      reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={c.title}>
      <p role="status">
        {check && working ? <span className="pill warning">{check.state === "waiting" ? c.waiting : c.running}</span> : null}{" "}
        {check?.state === "failed" && check.fault ? `${c.failed}: ${check.fault.message}. ${check.fault.hint}` : null}{" "}
        {finished?.ended ? (
          <span className="weak">
            {c.of} <Time at={finished.ended} precision="minute" />
          </span>
        ) : null}{" "}
        {finished?.obligations ? (
          <a href={finished.obligations} download>
            {c.obligations}
          </a>
        ) : null}
      </p>
      {controller.may_check ? (
        <form className="check-form" onSubmit={(event) => void ask(event)}>
          <label>
            {c.against}
            <select value={against} onChange={(event) => setAgainst(event.target.value)}>
              <option value="">{c.noOther}</option>
              {older.map((version) => (
                <option key={version} value={version}>
                  {c.version(version)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {c.twin}
            <select value={twin} onChange={(event) => setTwin(event.target.value)}>
              <option value="">{c.noTwin}</option>
              <MachineOptions machines={twins.data ?? []} />
            </select>
          </label>
          <label>
            {c.depth}
            <input type="number" required min={0} max={10000} step={1} value={depth} onChange={(event) => setDepth(event.target.valueAsNumber || 0)} />
          </label>
          <label>
            {c.seconds}
            <input type="number" required min={1} max={600} value={seconds} onChange={(event) => setSeconds(event.target.valueAsNumber || 0)} />
          </label>
          <button type="submit" className="primary" disabled={busy || working}>
            {c.start}
          </button>
        </form>
      ) : (
        <p className="weak">{c.mayNot}</p>
      )}
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
