import type { TwinDetail } from "../../api/types";
import { type Requirement, useRequirements } from "../../data/cases";
import { Card } from "../../parts/Card";
import { Since, useAsOf } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link, useParam } from "../../route/router";
import { t } from "../../texts/en";
import { formatDuration } from "../../time/instant";
import { SeverityMark, VerdictMark } from "../cases/marks";
import { RequirementEditor } from "./RequirementEditor";

const r = t.requirements;
/** In the address: a requirement that does not exist yet. */
const NEW = "+";

/** What this machine must do, and whether it does. */
export function Requirements({ twin }: { twin: TwinDetail }) {
  const answer = useRequirements(twin.id);
  const [edited, edit] = useParam("edit");
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
      {(page) => {
        const one = page.items.find((item) => item.name === edited);
        if (edited === NEW || one) {
          return <RequirementEditor key={edited} twin={twin} one={one} close={() => edit("", false)} done={answer.reload} />;
        }
        return <List twin={twin} items={page.items} edit={(name) => edit(name, false)} />;
      }}
    </Loaded>
  );
}

const URGENCY = ["false", "inconclusive", "true"];
const urgency = (one: Requirement): number => (one.verdict === null ? 1 : URGENCY.indexOf(one.verdict));

function List({ twin, items, edit }: { twin: TwinDetail; items: Requirement[]; edit: (name: string) => void }) {
  const sorted = [...items].sort((a, b) => urgency(a) - urgency(b));
  const past = useAsOf() !== null;
  const mayAdd = twin.permitted.includes("configure");
  return (
    <>
      {past ? <p className="note">{r.asNow}</p> : null}
      <div className="toolbar">
        <span className="spring" />
        <button type="button" className={items.length ? "plain" : "primary"} onClick={() => edit(NEW)}>
          {mayAdd ? r.add : r.tryOut}
        </button>
      </div>
      {items.length === 0 ? <Empty title={r.none}>{r.noneHint}</Empty> : null}
      <ul className="case-cards">
        {sorted.map((one) => (
          <li key={one.name}>
            <Card className={one.verdict === "false" ? `requirement severity-edge-${one.severity}` : "requirement"} label={one.text || one.name}>
              <Row one={one} twin={twin} edit={edit} />
            </Card>
          </li>
        ))}
      </ul>
    </>
  );
}

function Row({ one, twin, edit }: { one: Requirement; twin: TwinDetail; edit: (name: string) => void }) {
  const component = twin.components.find((c) => c.path === one.component);
  return (
    <>
      <div className="requirement-head">
        <VerdictMark verdict={one.verdict} />
        {one.since ? (
          <span className="weak">
            {r.since} <Since at={one.since} />
          </span>
        ) : null}
        <span className="spring" />
        <SeverityMark severity={one.severity} />
      </div>
      <h2>{one.text || one.name}</h2>
      <p className="weak">
        {component?.title || one.component || t.case.whole} · <span className="code">{one.name}</span> · {one.source === "type" ? r.ofType : r.ofTwin} · {r.fired(one.violations_30d)}
      </p>
      <p className="formula code">{one.formula}</p>
      {one.words ? <p>{one.words}</p> : null}
      <p className="weak">
        {r.mended} {ruleText(one)}
      </p>
      <div className="row">
        {one.case ? (
          <Link place={`cases/${one.case}`} className="plain">
            {r.openCase}
          </Link>
        ) : null}
        <button type="button" className="plain" onClick={() => edit(one.name)}>
          {one.source === "twin" && twin.permitted.includes("configure") ? r.edit : r.tryOut}
        </button>
      </div>
    </>
  );
}

/** When a repair counts as proven, in words. */
function ruleText({ repair }: Requirement): string {
  const parts = repair.times > 0 ? [r.times(repair.times, repair.when || r.itsTrigger)] : [];
  if (repair.lasting_s > 0) parts.push((repair.times > 0 ? r.lasting : r.keptFor)(formatDuration(repair.lasting_s * 1000)));
  return parts.join(", ");
}
