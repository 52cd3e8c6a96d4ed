import type { ControllerDetail, ControllerSummary, TwinDetail } from "../../api/types";
import { useController, useControllers } from "../../data/controllers";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { SeverityMark } from "../cases/marks";
import { AnswerMark } from "../controllers/marks";

const c = t.controllers;

/** The controllers of a machine, by name, each with its versions, the newest first. */
export function controllersOf(twin: Pick<TwinDetail, "id" | "type">, all: readonly ControllerSummary[]): ControllerSummary[][] {
  const type = (twin.type ?? "").split("@")[0];
  const mine = all.filter((one) => (one.twin ? one.twin === twin.id : one.machine_type === type));
  const names = [...new Set(mine.map((one) => one.name))].sort();
  return names.map((name) => mine.filter((one) => one.name === name).sort((a, b) => b.version - a.version));
}

/** What is proven of the machine's controllers, and how well their models fit it. */
export function Controllers({ twin }: { twin: TwinDetail }) {
  const answer = useControllers();
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={6} />}>
      {(all) => {
        const found = controllersOf(twin, all);
        if (found.length === 0) return <Empty title={c.ofTwin.none}>{c.ofTwin.noneHint(twin.id)}</Empty>;
        return (
          <>
            <p className="controller-note">{c.modelNote}</p>
            <div className="controller-columns even">
              {found.map((versions) => (versions[0] ? <One key={versions[0].name} newest={versions[0]} versions={versions} /> : null))}
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

function One({ newest, versions }: { newest: ControllerSummary; versions: readonly ControllerSummary[] }) {
  const answer = useController(newest.reference);
  const older = versions.slice(1);
  return (
    <Card title={<Link place={`controllers/${newest.reference}`}>{newest.title || newest.name}</Link>} label={newest.title || newest.name} extra={<span className="weak">{c.check.version(newest.version)}</span>}>
      <Loaded answer={answer} skeleton={<Skeleton lines={4} />}>
        {(controller) => <Properties controller={controller} />}
      </Loaded>
      {older.length ? (
        <p className="weak">
          {c.ofTwin.older}:{" "}
          {older.map((one) => (
            <span key={one.version}>
              <Link place={`controllers/${one.reference}`}>{c.check.version(one.version)}</Link>
              {one.violated ? <span className="outcome-violated"> ✕ {c.violated(one.violated)}</span> : null}{" "}
            </span>
          ))}
        </p>
      ) : null}
    </Card>
  );
}

function Properties({ controller }: { controller: ControllerDetail }) {
  const check = controller.finished;
  const answers = new Map((check?.report?.answers ?? []).map((one) => [one.name, one]));
  return (
    <>
      {controller.declared.length === 0 ? <p className="weak">{c.answers.none}</p> : null}
      <ul className="answers">
        {controller.declared.map((property) => {
          const answer = answers.get(property.name);
          return (
            <li key={property.name} className={answer ? `outcome-edge-${answer.outcome.split(" ")[0]}` : ""}>
              <p className="strong">{property.text || property.name}</p>
              <p className="row">
                {answer ? <AnswerMark answer={answer} /> : <span className="weak">{c.notChecked}</span>}
                <SeverityMark severity={property.severity} />
                {answer?.counterexample ? (
                  <Link place={`controllers/${controller.reference}`} params={{ run: property.name }}>
                    {c.answers.show}
                  </Link>
                ) : null}
              </p>
            </li>
          );
        })}
      </ul>
      <p className="weak">
        {c.answers.fit}: {check?.fit ?? c.answers.notCompared}
      </p>
    </>
  );
}
