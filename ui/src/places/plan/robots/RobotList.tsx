import type { Robot, RobotFleet } from "../../../api/types";
import { trustRobot } from "../../../data/robots";
import { Card } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { Link } from "../../../route/router";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { signOf, weightOf } from "./draw";

const r = t.robots;

/** Every robot with its condition, what it does, its battery, and why it does not get on. */
export function RobotList({ fleet, robot, choose, reload }: { fleet: RobotFleet; robot: string; choose: (robot: string) => void; reload: () => void }) {
  const rank = { alarm: 0, warn: 1, "": 2 };
  const rows = [...fleet.robots].sort((a, b) => rank[weightOf(a.condition)] - rank[weightOf(b.condition)]);
  return (
    <Card title={r.list.title}>
      <ul className="robots-list">
        {rows.map((one) => (
          <li key={one.robot} className={one.robot === robot ? "chosen" : ""}>
            <button type="button" className="robots-name" aria-pressed={one.robot === robot} onClick={() => choose(one.robot === robot ? "" : one.robot)}>
              <span className={`robots-mark ${weightOf(one.condition)}`} aria-hidden="true">
                {signOf(one.condition) || "●"}
              </span>
              <strong>{one.title}</strong>
              <span className={weightOf(one.condition) ? `robots-word ${weightOf(one.condition)}` : "weak"}>{r.conditions[one.condition] ?? one.condition}</span>
              <Battery one={one} />
            </button>
            <p className="weak">
              {[one.condition === "ready" ? one.activity : "", one.waits].filter(Boolean).join(" · ")}
              {one.arrives !== null && one.condition === "ready" ? (
                <>
                  {", "}
                  <span className="num">
                    {r.list.there} <Time at={one.arrives} />
                  </span>
                </>
              ) : null}
              <span className="num robots-speed">{r.list.speed(one.speed === null ? null : formatNumber(one.speed, 1), one.speed_max === null ? null : formatNumber(one.speed_max, 1), formatNumber(one.pace, 1))}</span>
            </p>
            {one.doubt ? <p className="weak">{one.doubt}</p> : null}
            {one.errors.map((error) => (
              <p key={error.type} className="weak">
                {error.level}: {error.description || error.type}
              </p>
            ))}
            {one.doubt && fleet.may_command ? (
              <button type="button" className="plain" onClick={() => void trustRobot(fleet.id, one.robot).then(reload, (error: Error) => notify(error.message, "error"))}>
                {r.list.trust}
              </button>
            ) : null}
            {one.robot === robot ? (
              <p className="weak">
                <Link place={`machines/${one.robot}`}>{one.serial}</Link> · {r.list.version(one.version)} · {r.list.load(one.loads ?? 0)}
              </p>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Battery({ one }: { one: Robot }) {
  if (one.battery === null) return <span className="robots-battery weak">{r.list.noBattery}</span>;
  const low = one.battery < 25 && !one.charging;
  const text = `${Math.round(one.battery)} %`;
  return (
    <span className={low ? "robots-battery low num" : "robots-battery num"}>
      <span className="robots-bar" aria-hidden="true">
        <i style={{ width: `${one.battery}%` }} />
      </span>
      <span className="hidden">{r.list.battery(Math.round(one.battery))}</span>
      <span aria-hidden="true">{one.charging ? `ϟ ${text}` : text}</span>
      {one.charging ? <span className="hidden">{r.list.charging}</span> : null}
    </span>
  );
}
