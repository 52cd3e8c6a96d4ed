import type { TwinSummary } from "../../api/types";
import { AlarmCount } from "../../parts/AlarmCount";
import { Since, useAsOf } from "../../parts/Clock";
import type { Column } from "../../parts/Grid";
import { LevelMark } from "../../parts/LevelMark";
import { StateMark } from "../../parts/StateMark";
import { stateName, urgency } from "../../parts/states";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatDuration, parseInstant } from "../../time/instant";

export function columnsOf(titles: ReadonlyMap<string, string>): Column<TwinSummary>[] {
  const c = t.fleet.col;
  return [
    {
      key: "machine",
      title: c.machine,
      fixed: true,
      value: (twin) => twin.title || twin.id,
      cell: (twin) => (
        <Link place={`machines/${twin.id}`} className="strong">
          {twin.title || twin.id}
        </Link>
      ),
    },
    {
      key: "urgency",
      title: c.state,
      value: (twin) => urgency(twin) * 100 + stateName(twin.state?.state).charCodeAt(0) / 10,
      cell: (twin) => <StateMark state={twin.state?.state} />,
    },
    {
      key: "since",
      title: c.since,
      align: "right",
      value: (twin) => (twin.state?.since ? parseInstant(twin.state.since) : null),
      cell: (twin) => (twin.state?.since ? <Since at={twin.state.since} /> : <span className="weak">–</span>),
    },
    {
      key: "alarms",
      title: c.alarms,
      align: "right",
      value: (twin) => twin.alarms,
      cell: (twin) => <AlarmCount count={twin.alarms} />,
    },
    {
      key: "fresh",
      title: c.fresh,
      align: "right",
      value: (twin) => twin.freshness_s,
      cell: (twin) => <Freshness seconds={twin.freshness_s} />,
    },
    { key: "type", title: c.type, value: (twin) => twin.type ?? "", cell: (twin) => twin.type ?? "–" },
    { key: "place", title: c.place, value: (twin) => twin.place ?? "", cell: (twin) => twin.place || "–" },
    {
      key: "parent",
      title: c.parent,
      value: (twin) => titles.get(twin.parent ?? "") ?? twin.parent ?? "",
      cell: (twin) => (twin.parent ? <Link place={`machines/${twin.parent}`}>{titles.get(twin.parent) ?? twin.parent}</Link> : "–"),
    },
    { key: "level", title: c.level, value: (twin) => twin.level, cell: (twin) => <LevelMark level={twin.level} /> },
    { key: "owner", title: c.owner, optional: true, value: (twin) => twin.owner ?? "", cell: (twin) => twin.owner || "–" },
    { key: "serial", title: c.serial, optional: true, value: (twin) => twin.serial, cell: (twin) => twin.serial || "–" },
  ];
}

export function Freshness({ seconds }: { seconds: number | null }) {
  // What came last before a moment of the past is shown with the values themselves.
  if (useAsOf() !== null) return <span className="weak">–</span>;
  if (seconds === null) return <span className="weak">{t.fleet.never}</span>;
  const text = seconds < 2 ? t.fleet.nowFresh : formatDuration(seconds * 1000);
  return <span className={seconds > 60 ? "num stale-text" : "num"}>{text}</span>;
}
