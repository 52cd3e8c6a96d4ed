import type { ComparedAnswer, ComparedSignal } from "../../../api/types";
import { Time } from "../../../parts/Clock";
import { CourseChart } from "../../../parts/CourseChart";
import { Link } from "../../../route/router";
import { t } from "../../../texts/en";
import { formatNumber, formatRatio } from "../../../time/figure";

const u = t.setups;

/** Each signal over its simulated band, its figures, and its deviations with their cases. */
export function CompareResult({ answer }: { answer: ComparedAnswer }) {
  return (
    <section aria-label={u.result}>
      <p role="status">
        <strong>{answer.says}</strong>
      </p>
      {answer.signals.map((one) => (
        <Signal key={one.signal} one={one} />
      ))}
    </section>
  );
}

function Signal({ one }: { one: ComparedSignal }) {
  const said = one.findings.length ? u.deviates(one.findings.length) : u.asSimulated;
  return (
    <>
      <h3>
        {one.signal} <span className={one.findings.length ? "outcome-violated" : "weak"}>{one.observed ? said : ""}</span>
      </h3>
      <p className="weak">
        {one.observed ? `${u.figures(one.observed, one.inside, figure(one.rms), figure(one.largest))}; ${u.covered(`${formatRatio(one.covered)} %`)}` : u.unheard}
        {one.at ? (
          <>
            {" ("}
            <Time at={one.at} />
            {")"}
          </>
        ) : null}
      </p>
      <CourseChart expected={one.simulated} measured={one.measured} label={u.chart(one.signal, said)} />
      <p className="course-legend weak">
        <span>
          <i className="simulated" aria-hidden="true" /> {u.legend.simulated}
        </span>
        <span>
          <i aria-hidden="true" /> {u.legend.measured}
        </span>
        <span>
          <i className="outside" aria-hidden="true" /> {u.legend.outside}
        </span>
      </p>
      {one.findings.length ? (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="grid-box" tabIndex={0} role="group" aria-label={u.deviation}>
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">{u.from}</th>
                <th scope="col">{u.to}</th>
                <th scope="col">{u.beyond}</th>
                <th scope="col">{u.caseOf}</th>
              </tr>
            </thead>
            <tbody>
              {one.findings.map((found) => (
                <tr key={found.id}>
                  <td>
                    <Time at={found.start} />
                  </td>
                  <td>{found.end ? <Time at={found.end} /> : u.goesOn}</td>
                  <td className="num">{found.least === null ? "–" : figure(-found.least)}</td>
                  <td>{found.case ? <Link place={`cases/${found.case}`}>{found.case.slice(0, 8)}</Link> : <span className="weak">{u.noCase}</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </>
  );
}

const figure = (value: number): string => formatNumber(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 4);
