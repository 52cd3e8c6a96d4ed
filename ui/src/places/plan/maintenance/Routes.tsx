import { useState } from "react";
import type { Route, Routes as RoutesAnswer } from "../../../api/types";
import { isOver } from "../../../data/jobs";
import { askRoutes, useRoutes } from "../../../data/maintenance";
import { Card } from "../../../parts/Card";
import { Time, useZone } from "../../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { useParam } from "../../../route/router";
import { mayPlan, useAccount } from "../../../session/session";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { formatInstant, parseInstant } from "../../../time/instant";
import { DayGantt } from "./DayGantt";
import { RouteMap } from "./RouteMap";
import "./maintenance.css";

const r = t.maintenance.routes;

/** The technicians' days: who drives where, when, and what is left out. */
export default function Routes() {
  const answer = useRoutes();
  const account = useAccount();
  const [busy, setBusy] = useState(false);
  const job = answer.data?.job ?? null;
  const working = busy || (job !== null && !isOver(job));
  const run = (): void => {
    setBusy(true);
    askRoutes()
      .then(answer.reload, (error: Error) => notify(error.message, "error"))
      .finally(() => setBusy(false));
  };
  return (
    <div className="maintenance">
      <div className="row spread">
        <p className="weak">{r.lead}</p>
        {mayPlan(account) ? (
          <button type="button" className="primary" disabled={working} onClick={run}>
            {job ? r.again : r.make}
          </button>
        ) : null}
      </div>
      <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
        {(found) => (found.cost === null ? <Nothing found={found} /> : <Days found={found} />)}
      </Loaded>
    </div>
  );
}

function Nothing({ found }: { found: RoutesAnswer }) {
  return (
    <>
      {found.job?.faults.map((fault) => (
        <p key={fault.code}>{fault.message}</p>
      ))}
      <Empty title={r.none}>{r.noneHint}</Empty>
    </>
  );
}

function Days({ found }: { found: RoutesAnswer }) {
  const zone = useZone();
  const day = (route: Route): string => formatInstant(parseInstant(route.leave), zone, "day");
  const days = [...new Set(found.routes.map(day))];
  const [chosen, choose] = useParam("day");
  const shown = days.includes(chosen) ? chosen : (days[0] ?? "");
  const routes = found.routes.filter((route) => day(route) === shown);
  return (
    <>
      {days.length > 1 ? (
        <div className="row" role="group" aria-label={r.day}>
          {days.map((one) => (
            <button key={one} type="button" className={one === shown ? "primary" : "plain"} aria-pressed={one === shown} onClick={() => choose(one)}>
              {one}
            </button>
          ))}
        </div>
      ) : null}
      <Card title={`${r.gantt}, ${shown}`} extra={`${r.cost} ${formatNumber(Number(found.cost), 2)} ${found.currency}`}>
        <DayGantt routes={routes} />
        {routes.map((route) => (
          <RouteRow key={route.technician + route.leave} route={route} />
        ))}
      </Card>
      <Card title={r.map}>
        <RouteMap routes={routes} />
      </Card>
      {found.left_out.length ? (
        <Card title={r.leftOut}>
          <ul className="placed">
            {found.left_out.map((left) => (
              <li key={left.id}>
                <strong>{left.title}</strong> <span>{left.why}</span>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
    </>
  );
}

function RouteRow({ route }: { route: Route }) {
  const drive = (metres: number, seconds: number): string => (metres === 0 ? r.here : r.drive(formatNumber(metres / 1000, 0), formatNumber(seconds / 60, 0)));
  return (
    <section className="route" aria-label={route.name}>
      <h3>{route.name}</h3>
      <ol>
        <li className="weak">
          <Time at={route.leave} precision="minute" /> {r.leave}
        </li>
        {route.stops.map((stop) => (
          <li key={stop.visit}>
            <Time at={stop.from} precision="minute" /> <strong>{stop.title}</strong> <span className="weak">{stop.site}, {drive(stop.drive_m, stop.drive_s)}</span>
          </li>
        ))}
        <li className="weak">
          <Time at={route.back} precision="minute" /> {r.back}, {drive(route.home_m, route.home_s)}
        </li>
      </ol>
    </section>
  );
}
