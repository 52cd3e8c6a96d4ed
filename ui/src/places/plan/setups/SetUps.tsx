import { useState } from "react";
import type { JobDetail } from "../../../api/types";
import { isOver, useJob, useJobs } from "../../../data/jobs";
import { CO_SIMULATION, type TracePlan, useModels } from "../../../data/setups";
import { Card } from "../../../parts/Card";
import { CourseChart, type Expected } from "../../../parts/CourseChart";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { useParam } from "../../../route/router";
import { mayPlan, useAccount } from "../../../session/session";
import { t } from "../../../texts/en";
import { CompareCard } from "./CompareCard";
import { ModelsCard } from "./ModelsCard";
import { SimulateCard } from "./SimulateCard";

const u = t.setups;

/** Set-ups: models, what they say a machine will do, and what the machine did. */
export default function SetUps() {
  const account = useAccount();
  const models = useModels();
  const jobs = useJobs({ service: CO_SIMULATION });
  const [wanted, choose] = useParam("job");
  const chosen = wanted || (jobs.data?.[0]?.id ?? null); // one just asked for may not be in the list yet
  const job = useJob(chosen);
  const asked = (id: string): void => {
    choose(id);
    jobs.reload();
  };
  return (
    <>
      <p className="weak">{u.lead}</p>
      <div className="scenario-page">
        <Loaded answer={models} skeleton={<Skeleton lines={4} />}>
          {(found) => (
            <div className="controller-columns even">
              <ModelsCard models={found} reload={models.reload} />
              {mayPlan(account) ? <SimulateCard models={found} asked={asked} /> : <p className="weak">{u.mayNot}</p>}
            </div>
          )}
        </Loaded>
        <Loaded answer={jobs} skeleton={<Skeleton lines={4} />}>
          {(found) =>
            found.length === 0 ? (
              <Empty title={u.none}>{u.noneHint}</Empty>
            ) : (
              <Card title={u.simulated}>
                <label className="row">
                  {u.which}
                  <select value={chosen ?? ""} onChange={(event) => choose(event.target.value)}>
                    {found.map((one) => (
                      <option key={one.id} value={one.id}>
                        {`${one.about.replace(/^set-up ?/, "") || one.id} · ${one.at.slice(0, 16).replace("T", " ")} UTC · ${u.states[one.state] ?? one.state}`}
                      </option>
                    ))}
                  </select>
                </label>
                {job.data ? <Trace key={job.data.id} job={job.data} /> : <Skeleton lines={4} />}
              </Card>
            )
          }
        </Loaded>
        {job.data?.plan ? <CompareCard key={job.data.id} job={job.data} plan={job.data.plan as unknown as TracePlan} /> : null}
      </div>
    </>
  );
}

function Trace({ job }: { job: JobDetail }) {
  const plan = job.plan as unknown as TracePlan | null;
  const names = plan ? Object.keys(plan.columns) : [];
  const [wanted, choose] = useState("");
  const name = names.includes(wanted) ? wanted : (names[0] ?? "");
  const course = plan
    ? plan.times.flatMap((second, i): Expected[] => {
        const value = plan.columns[name]?.[i];
        return typeof value === "number" ? [[second, value, value, value]] : [];
      })
    : [];
  return (
    <>
      <div role="status">
        {isOver(job) ? null : <p>{u.states[job.state]}</p>}
        {job.faults.map((fault) => (
          <p key={fault.code} className="outcome-violated">
            {fault.message}. {fault.hint} <span className="weak code">{fault.code}</span>
          </p>
        ))}
      </div>
      {plan ? (
        <>
          <p className="weak">{u.summary(plan.steps, String(plan.step), wallsOf(plan))}</p>
          <label className="row">
            {u.shown}
            <select value={name} onChange={(event) => choose(event.target.value)}>
              {names.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <CourseChart expected={course} label={u.courseOf(name, plan.units[name] ?? "")} />
        </>
      ) : null}
    </>
  );
}

const wallsOf = (plan: TracePlan): string => [...new Set(Object.values(plan.fmus).flatMap((part) => Object.entries(part.sandbox ?? {}).map(([what, how]) => `${what}: ${how}`)))].join("; ");
