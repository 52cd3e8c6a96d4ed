import { useMemo } from "react";
import type { CaseDetail, JoinedAlarm } from "../../api/types";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";
import { AlarmMark } from "../twin/AlarmMark";
import { nameOf } from "./alarm";

const c = t.case;

/** Alarms of the machine that belong to this case; a flood is told first. */
export function Alarms({ one }: { one: CaseDetail }) {
  const rows = useMemo(() => one.alarms.map((alarm) => <Row key={`${nameOf(alarm)} ${alarm.severity} ${alarm.from}`} alarm={alarm} />), [one.alarms]);
  return (
    <Card title={c.alarms} extra={<span className="weak num">{one.alarms.length + one.alarms_left_out || ""}</span>}>
      {one.floods.map((flood) => (
        <p className="note" key={flood.from}>
          <strong>{c.flood}</strong>: {c.floodCount(flood.count)} <Time at={flood.from} />. {c.floodHint}
        </p>
      ))}
      {rows.length ? <ul className="alarms">{rows}</ul> : <p className="weak">{c.noAlarms}</p>}
      {one.alarms_left_out ? <p className="weak">{c.alarmsLeftOut(one.alarms_left_out)}</p> : null}
      <p className="weak hint">{c.alarmsHint}</p>
    </Card>
  );
}

function Row({ alarm }: { alarm: JoinedAlarm }) {
  return (
    <li className={`alarm ${alarm.severity}`}>
      <AlarmMark severity={alarm.severity} />
      <div>
        <strong>
          {t.severity[alarm.severity]}
          {alarm.text ? `: ${alarm.text}` : ""}
        </strong>
        <span className="weak">
          {nameOf(alarm)} · <Time at={alarm.from} /> – {alarm.to === null ? c.goesOn : <Time at={alarm.to} />}
          {alarm.count > 1 ? (
            <>
              {" "}
              · {c.chatter(alarm.count)} <Time at={alarm.last} />
            </>
          ) : null}
        </span>
      </div>
    </li>
  );
}
