import { useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { Page, Reason, StateHistory } from "../../api/types";
import { reloadAll, useQuery } from "../../data/query";
import { useMoment, useZone } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { stateName } from "../../parts/states";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatDuration, formatInstant, parseInstant, toRfc3339 } from "../../time/instant";

const r = t.reasonEntry;
const STOPS = ["failed", "repair", "standby", "starved", "blocked", "external", "off"];
const LOOK_BACK = 8 * 3_600_000;
const SHORTEST = 60_000;

interface Choice {
  code: string;
  title: string;
  responsible: string;
  choices: Choice[];
}

/** Two taps on a tablet: the group, then the cause of the last stop that has no reason yet. */
export function ReasonEntry({ id }: { id: string }) {
  const zone = useZone();
  const now = useMoment(60_000);
  const from = toRfc3339(Math.floor((now - LOOK_BACK) / 60_000) * 60_000);
  const states = useQuery(`reason-states ${id} ${from}`, (signal) => get<StateHistory>(path`/twins/${id}/states`, { from }, signal), 15_000, `reason-states ${id}`);
  const given = useQuery(`reasons ${id} ${from}`, (signal) => get<Page<Reason>>(path`/twins/${id}/reasons`, { from }, signal), 15_000, `reasons ${id}`);
  const choices = useQuery(`reason-choices ${id}`, (signal) => get<Choice[]>(path`/twins/${id}/reasons/choices`, {}, signal));
  const [group, setGroup] = useState<Choice | null>(null);
  const [correcting, setCorrecting] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const stop = [...(states.data?.intervals ?? [])]
    .reverse()
    .find((i) => STOPS.includes(i.state) && parseInstant(i.to) - parseInstant(i.from) >= SHORTEST);
  if (!stop || !choices.data) return null;
  const known = [...(given.data?.items ?? [])].reverse().find((one) => one.in_force && one.from === stop.from);
  const lasted = formatDuration(parseInstant(stop.to) - parseInstant(stop.from));
  const tap = async (choice: Choice): Promise<void> => {
    if (choice.choices.length) {
      setGroup(choice);
      return;
    }
    setProblem(null);
    try {
      await post(path`/twins/${id}/reasons`, { from: stop.from, to: stop.to, cause: choice.code, replaces: known?.id ?? "" });
      notify(r.saved);
      setGroup(null);
      setCorrecting(false);
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  const shown = group ? group.choices : choices.data;
  return (
    <section className="reason-entry" aria-label={r.title}>
      <h2>{r.title}</h2>
      <p>
        {t.states[stateName(stop.state)]}: {r.lead(formatInstant(parseInstant(stop.from), zone, "minute"), lasted)}
      </p>
      {known && !correcting ? (
        <p className="reason-known">
          {r.given}: <strong>{titleOf(choices.data, known.cause)}</strong>{" "}
          <button type="button" className="plain" onClick={() => setCorrecting(true)}>
            {r.correct}
          </button>
        </p>
      ) : (
        <div className="reason-choices">
          {shown.map((choice) => (
            <button key={choice.code} type="button" onClick={() => void tap(choice)}>
              {choice.title}
            </button>
          ))}
          {group ? (
            <button type="button" className="plain" onClick={() => setGroup(null)}>
              ◀ {r.back}
            </button>
          ) : null}
        </div>
      )}
      {problem ? <Problem error={problem} /> : null}
    </section>
  );
}

function titleOf(choices: readonly Choice[], code: string): string {
  for (const choice of choices) {
    if (choice.code === code) return choice.title;
    const inside = titleOf(choice.choices, code);
    if (inside !== code) return inside;
  }
  return code;
}
