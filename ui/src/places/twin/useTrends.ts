import { useMemo, useState } from "react";
import { post } from "../../api/client";
import type { QueryAnswer, TwinDetail } from "../../api/types";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { useMoment } from "../../parts/Clock";
import type { Point } from "../../parts/Sparkline";
import { parseInstant, toRfc3339 } from "../../time/instant";
import type { Held } from "./held";

const HOUR = 3_600_000;
const BUCKETS = 60;

export interface Trends {
  from: number;
  to: number;
  points: ReadonlyMap<string, Point[]>;
}

/** The last hour of every number, asked once for all, with live points behind it. */
export function useTrends(twin: TwinDetail, held: ReadonlyMap<string, Held>): Trends {
  const moment = useMoment(5000);
  const asOf = useAsOfText();
  const names = useMemo(() => twin.signals.filter((s) => s.type === "number").map((s) => s.name), [twin.signals]);
  const [opened] = useState(moment);
  const to = asOf === null ? Math.ceil(opened / 60_000) * 60_000 : moment;
  const answer = useQuery(names.length ? `hour ${twin.id} ${to} ${names.length}` : null, () =>
    post<QueryAnswer>("/observations/query", {
      twins: [twin.id],
      signals: names,
      from: toRfc3339(to - HOUR),
      to: toRfc3339(to),
      every: `${HOUR / BUCKETS / 1000}s`,
      aggregates: ["mean"],
    }),
  );
  const history = useMemo(() => {
    const points = new Map<string, Point[]>();
    for (const series of answer.data?.series ?? []) {
      points.set(
        series.signal,
        (series.buckets ?? []).filter((b) => parseInstant(b.from) < moment).map((b) => ({ at: (parseInstant(b.from) + parseInstant(b.to)) / 2, value: b.mean ?? null })),
      );
    }
    return points;
    // The moment only cuts off buckets that lie ahead; they are null anyway.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [answer.data]);
  const points = useMemo(() => {
    const all = new Map(history);
    for (const [name, value] of held) {
      if (typeof value.value !== "number") continue;
      const before = all.get(name) ?? [];
      const upTo = before.filter((p) => p.at < value.time && !(p.value === null && p.at > value.time - HOUR / BUCKETS));
      all.set(name, [...upTo, { at: value.time, value: value.value }]);
    }
    return all;
  }, [history, held]);
  return { from: moment - HOUR, to: moment, points };
}
