import { get, path } from "../../api/client";
import type { Page } from "../../api/types";
import type { Requirement } from "../../data/cases";
import { useQuery } from "../../data/query";
import { useTwins } from "../../data/twins";
import { t } from "../../texts/en";

const ASKED_AT_MOST = 40;

/** How many requirements the monitor watches on a machine, or on all of a small plant. */
export function WatchedCount({ twin }: { twin: string }) {
  const twins = useTwins();
  const machines = (twins.data ?? []).filter((one) => one.kind === "machine" || one.kind === "robot").map((one) => one.id);
  const asked = twin ? [twin] : machines;
  const answer = useQuery(asked.length && asked.length <= ASKED_AT_MOST ? `watched ${asked.join(",")}` : null, async (signal) => {
    const pages = await Promise.all(asked.map((id) => get<Page<Requirement>>(path`/twins/${id}/requirements`, {}, signal)));
    return pages.reduce((sum, page) => sum + page.items.length, 0);
  });
  return answer.data === undefined ? null : <strong>{t.cases.watched(answer.data)}</strong>;
}
