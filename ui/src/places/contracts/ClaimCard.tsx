import { useState } from "react";
import { ApiError, path, post } from "../../api/client";
import type { Exclusion } from "../../api/types";
import { reloadAll } from "../../data/query";
import { useContractStatus } from "../../data/contracts";
import { Time, useMoment, useZone } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { formatDuration, formatInstant, later, parseInstant } from "../../time/instant";
import { money, percent } from "./money";

const c = t.claims;
type Answer = keyof typeof c.answers;

function answersOf(claim: Exclusion, party: string): Answer[] {
  const own = claim.proposer === party;
  if (claim.status === "open") return own ? ["withdraw"] : ["accept", "accept_part", "reject"];
  if (claim.status === "disputed") return ["settle"];
  return own && ["part_accepted", "rejected", "deemed_rejected"].includes(claim.status) ? ["dispute"] : [];
}

/** One claim: what is claimed, with what evidence, what was said to it, and what can be done now. */
export function ClaimCard({ claim, contract, machineValue }: { claim: Exclusion; contract?: string; machineValue?: boolean }) {
  const zone = useZone();
  const now = useMoment(60_000);
  const { party } = useAccount();
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [minutes, setMinutes] = useState("");
  const from = parseInstant(claim.from);
  const length = parseInstant(claim.to) - from;
  const waits = claim.status === "open" || claim.status === "disputed";
  const answers = answersOf(claim, party);
  const byMinutes = answers.includes("accept_part") || answers.includes("settle");
  const send = async (answer: Answer): Promise<void> => {
    setProblem(null);
    const whole = Number(minutes) * 60_000 >= length;
    const parts = (answer === "accept_part" || answer === "settle") && Number(minutes) > 0 ? [{ from: claim.from, to: whole ? claim.to : later(claim.from, Number(minutes) * 60) }] : [];
    try {
      await post(path`/contracts/${claim.contract}/exclusions/${claim.id}/decisions`, { answer, parts, number: claim.steps.length + 1 });
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  const period = useContractStatus(claim.contract, "");
  const machine = period.data?.machines.find((m) => m.twin === claim.twin);
  return (
    <li className={waits ? "card claim waits" : "card claim"}>
      <div className="claim-head">
        <strong>{c.kinds[claim.kind as keyof typeof c.kinds] ?? claim.kind}</strong>
        <span className="num">{formatDuration(length)}</span>
        <span className="weak">
          {contract ? (
            <>
              <Link place={`contracts/${claim.contract}/claims`}>{contract}</Link> ·{" "}
            </>
          ) : null}
          {claim.twin}, <Time at={claim.from} />
        </span>
        <span className="spring" />
        <span className={waits ? "pill warning" : "pill quiet"}>{c.statuses[claim.status as keyof typeof c.statuses] ?? claim.status}</span>
      </div>
      <p>
        {claim.proposer}: {claim.text || "–"}
      </p>
      {claim.evidence.length ? (
        <p className="weak">
          {c.evidence}: {claim.evidence.map((e) => `${e.kind} ${e.reference} ${e.text}`.trim()).join("; ")}
        </p>
      ) : null}
      {claim.accepted.length && claim.status !== "accepted" ? (
        <p className="weak">
          {c.accepted}: {formatDuration(claim.accepted.reduce((sum, part) => sum + parseInstant(part.to ?? "") - parseInstant(part.from ?? ""), 0))}
        </p>
      ) : null}
      {claim.steps.map((step) => (
        <p className="weak" key={step.number}>
          <Time at={step.at} /> · {c.step(step.party, c.answers[step.answer])} {step.text}
        </p>
      ))}
      {claim.status === "open" ? <p className="weak">{c.deemed(formatInstant(parseInstant(claim.deemed_at), zone, "minute"), formatDuration(parseInstant(claim.deemed_at) - now))} · {c.waitsFor(claim.waiting_for)}</p> : null}
      {answers.length ? (
        <div className="row claim-answers">
          {byMinutes ? (
            <label className="field inline">
              <span>{c.minutes}</span>
              <input type="number" min={0} max={length / 60_000} step="any" value={minutes} onChange={(e) => setMinutes(e.target.value)} />
            </label>
          ) : null}
          {answers.map((answer) => (
            <button key={answer} type="button" className={answer === "accept" || answer === "settle" ? "primary" : "plain"} disabled={(answer === "accept_part" || answer === "settle") && !(Number(minutes) >= (answer === "settle" ? 0 : 0.001) && minutes !== "")} onClick={() => void send(answer)}>
              {c.answers[answer]}
            </button>
          ))}
          {machine && machineValue ? <span className="weak num">{c.effect(percent(machine.rounded_percent), money(period.data?.credit, period.data?.currency))}</span> : null}
        </div>
      ) : null}
      {problem ? <Problem error={problem} /> : null}
    </li>
  );
}
