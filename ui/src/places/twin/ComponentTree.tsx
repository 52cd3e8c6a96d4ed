import type { TwinDetail, TwinState } from "../../api/types";
import { useCases } from "../../data/cases";
import { Card } from "../../parts/Card";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { SeverityMark } from "../cases/marks";
import { type ComponentNow, componentTree } from "./componentTree";

const c = t.components;

/** The components with their open cases and alarms, the worst first. */
export function ComponentTree({ twin, now }: { twin: TwinDetail; now: TwinState | undefined }) {
  const cases = useCases(twin.id, true);
  const alarms = (now?.alarms ?? []).map((alarm) => ({
    component: twin.signals.find((s) => s.name === alarm.signal)?.component ?? "",
    severity: alarm.severity,
  }));
  const own = (cases.data ?? []).filter((one) => one.twin === twin.id);
  return (
    <Card title={c.title}>
      <ul className="tree">
        {componentTree(twin.components, twin.signals, own, alarms).map((one) => (
          <li key={one.path} style={{ paddingInlineStart: `${one.depth}rem` }}>
            <span>{one.title}</span>
            <Status one={one} twin={twin.id} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Status({ one, twin }: { one: ComponentNow; twin: string }) {
  const [only] = one.cases;
  if (one.cases.length === 0 && one.alarms === 0) return <span className="weak num">{one.signals}</span>;
  return (
    <span className="component-status">
      {one.worst ? (
        <Link className="row" place={one.cases.length === 1 && only ? `cases/${only.id}` : "cases"} params={one.cases.length === 1 ? {} : { twin }}>
          <SeverityMark severity={one.worst} /> <span className="num">{c.cases(one.cases.length)}</span>
        </Link>
      ) : null}
      {one.alarms ? <span className={`pill ${one.faults ? "fault" : "warning"}`}>{c.alarms(one.alarms)}</span> : null}
    </span>
  );
}
