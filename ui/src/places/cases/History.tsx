import type { CaseDetail, CaseStep, JoinedAlarm } from "../../api/types";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";
import { nameOf } from "./alarm";

const c = t.case;

/** Every step of the case, the newest first: steps are only added. */
export function History({ one }: { one: CaseDetail }) {
  return (
    <Card title={c.history} extra={<span className="weak num">{one.steps.length}</span>}>
      <ol className="case-steps" reversed>
        {[...one.steps].reverse().map((step) => (
          <li key={step.number}>
            <span className="weak case-step-at">
              <Time at={step.at} />
            </span>
            <div>
              <strong>{c.steps[step.kind as keyof typeof c.steps] ?? step.kind}</strong> <span className="weak">{step.by || c.monitor}</span>
              <Said step={step} />
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}

const TIMES = new Set(["from", "end", "until", "since", "start", "done_at", "normal_since"]);
/** Names that say nothing to a reader. */
const QUIET = new Set(["finding", "least", "most", "done_by", "bound", "cut", "file"]);
/** Values that speak for themselves. */
const WORDLESS = new Set(["text", "what", "of"]);
const PROOFS: Record<string, string> = c.proofKinds;

function Said({ step }: { step: CaseStep }) {
  if (step.kind === "alarms") return <AlarmsSaid said={step.said as unknown as AlarmsStep} />;
  const said = Object.entries(step.said).filter(([name, value]) => !QUIET.has(name) && value !== null && value !== "" && typeof value !== "object");
  if (said.length === 0) return null;
  return (
    <p>
      {said.map(([name, value], i) => (
        <span key={name}>
          {i ? " · " : ""}
          {WORDLESS.has(name) ? "" : `${name.replace(/_/g, " ")} `}
          {name === "of" ? (PROOFS[String(value)] ?? String(value)) : TIMES.has(name) && typeof value === "string" ? <Time at={value} /> : String(value)}
        </span>
      ))}
    </p>
  );
}

interface AlarmsStep {
  alarms: JoinedAlarm[];
  gone: number;
  floods: unknown[];
}
const SHOWN = 8;

/** What a step changed in the alarms of the case; the whole list stands in its own card. */
function AlarmsSaid({ said }: { said: AlarmsStep }) {
  const more = said.alarms.length - SHOWN;
  return (
    <p>
      {said.alarms.slice(0, SHOWN).map((alarm, i) => (
        <span key={`${nameOf(alarm)} ${alarm.severity} ${alarm.from}`}>
          {i ? "; " : ""}
          {nameOf(alarm)} {alarm.text} <Time at={alarm.from} />
          {alarm.to === null ? "" : <> – <Time at={alarm.to} /></>}
          {alarm.count > 1 ? ` · ${c.raised(alarm.count)}` : ""}
        </span>
      ))}
      {more > 0 ? `; ${c.andMore(more)}` : ""}
      {said.gone ? ` · ${c.alarmsGone(said.gone)}` : ""}
      {said.floods.length ? ` · ${c.flood}` : ""}
    </p>
  );
}
