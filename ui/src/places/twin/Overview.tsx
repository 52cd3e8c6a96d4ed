import type { AlarmShape, TwinDetail, TwinState } from "../../api/types";
import { useTwinState } from "../../data/twins";
import { Card, Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { AlarmMark } from "./AlarmMark";
import { ComponentTree } from "./ComponentTree";
import { ParentLink } from "./ParentLink";
import { Values } from "./Values";
import { WorkOrders } from "./WorkOrders";

/** What the machine does now: values against their ranges, alarms, components. */
export function Overview({ twin }: { twin: TwinDetail }) {
  const state = useTwinState(twin.id);
  return (
    <div className="columns">
      <div className="column wide">
        <Loaded answer={state} skeleton={<Skeleton height={320} />}>
          {(now) => <Values twin={twin} now={now} />}
        </Loaded>
      </div>
      <div className="column">
        <Loaded answer={state} skeleton={<Skeleton height={120} />}>
          {(now) => <Alarms now={now} />}
        </Loaded>
        {twin.components.length ? <ComponentTree twin={twin} now={state.data} /> : null}
        {twin.simulates ? null : <WorkOrders id={twin.id} />}
        <About twin={twin} />
      </div>
    </div>
  );
}

function Alarms({ now }: { now: TwinState }) {
  return (
    <Card title={t.twin.alarms} extra={<span className="weak num">{now.alarms.length || ""}</span>}>
      {now.alarms.length === 0 ? (
        <p className="weak">{t.twin.noAlarms}</p>
      ) : (
        <ul className="alarms">
          {now.alarms.map((alarm) => (
            <AlarmRow key={`${alarm.signal} ${alarm.code}`} alarm={alarm} />
          ))}
        </ul>
      )}
    </Card>
  );
}

export function AlarmRow({ alarm }: { alarm: AlarmShape }) {
  return (
    <li className={`alarm ${alarm.severity}`}>
      <AlarmMark severity={alarm.severity} />
      <div>
        <strong>
          {t.severity[alarm.severity]}
          {alarm.text ? `: ${alarm.text}` : ""}
        </strong>
        <span className="weak">
          {alarm.signal}
          {alarm.code ? ` · ${alarm.code}` : ""} · {t.twin.alarmSince} <Time at={alarm.from} />
        </span>
      </div>
    </li>
  );
}

function About({ twin }: { twin: TwinDetail }) {
  const f = t.twin;
  return (
    <Card title={f.facts}>
      <Facts
        items={[
          [f.serial, twin.serial || "–"],
          [f.type, twin.type ?? "–"],
          [f.owner, twin.owner || "–"],
          [f.place, twin.place || "–"],
          [f.partOf, twin.parent ? <ParentLink key="p" id={twin.parent} /> : "–"],
          [f.dtid, twin.dtid ? <span key="d" className="code">{twin.dtid}</span> : "–"],
          [f.commissioned, twin.commissioned ? <Time key="c" at={twin.commissioned} precision="day" /> : "–"],
          ...(twin.registered_from ? ([[f.registeredFrom, twin.registered_from]] as [string, string][]) : []),
        ]}
      />
    </Card>
  );
}
