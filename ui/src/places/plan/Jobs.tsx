import { useState } from "react";
import type { Job } from "../../api/types";
import { cancelJob, isOver, useJobs } from "../../data/jobs";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { mayPlan, useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";

const j = t.plan.jobs;

/** What planners and trainers were asked, and what came of it. */
export default function Jobs() {
  const answer = useJobs();
  return (
    <>
      <p className="weak">{j.lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={6} />}>
        {(jobs) =>
          jobs.length === 0 ? (
            <Empty title={j.none}>{j.noneHint}</Empty>
          ) : (
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <div className="grid-box" tabIndex={0} role="group" aria-label={t.plan.tabs.jobs}>
              <table className="grid">
                <thead>
                  <tr>
                    <th scope="col">{j.col.service}</th>
                    <th scope="col">{j.col.asked}</th>
                    <th scope="col">{j.col.state}</th>
                    <th scope="col">{j.col.plans}</th>
                    <th scope="col">{j.col.value}</th>
                    <th scope="col">{j.col.bound}</th>
                    <th scope="col">
                      <span className="hidden">{j.end}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {jobs.map((job) => (
                    <Row key={job.id} job={job} reload={answer.reload} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </>
  );
}

function Row({ job, reload }: { job: Job; reload: () => void }) {
  const account = useAccount();
  const [ending, setEnding] = useState(false);
  const end = (): void => {
    setEnding(true);
    cancelJob(job.id).then(reload, (error: Error) => notify(error.message, "error"));
  };
  return (
    <tr>
      <td>
        <strong>{job.service}</strong> <span className="weak code">{job.version}</span>
        {job.about ? <div className="weak">{job.about}</div> : null}
      </td>
      <td>
        <Time at={job.at} />
        <div className="weak">{job.by}</div>
      </td>
      <td>
        {j.marks[job.state]} {j.states[job.state]}
        {job.faults.map((fault) => (
          <div className="weak" key={fault.code}>
            {fault.message}
          </div>
        ))}
      </td>
      <td className="num">{job.plans}</td>
      <td className="num">{job.value === null ? "–" : formatNumber(job.value, 3)}</td>
      <td className="num">{job.bound === null ? "–" : formatNumber(job.bound, 3)}</td>
      <td>
        {isOver(job) || !mayPlan(account) ? null : (
          <button type="button" className="plain" onClick={end} disabled={ending}>
            {j.end}
          </button>
        )}
      </td>
    </tr>
  );
}
