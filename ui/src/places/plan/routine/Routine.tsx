import type { KindChange, RoutineComparison } from "../../../api/types";
import { useRoutineComparison } from "../../../data/routine";
import { Figure } from "../../../figures/Figure";
import { Card } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { DayRange, useDayRange } from "../../../parts/DayRange";
import { DotWhisker } from "../../../parts/DotWhisker";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { stackedBy } from "../../../parts/stacked";
import { useParam } from "../../../route/router";
import { mayPlan, useAccount } from "../../../session/session";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { StudyForm } from "./StudyForm";

const p = t.routine.page;
const tenth = (value: number): string => formatNumber(value, 1);

/** Minutes of routine before and since the assistant is used, as shifts said them: how sure, and what to mind. */
export default function Routine() {
  const account = useAccount();
  const [place, setPlace] = useParam("at");
  const range = useDayRange();
  const answer = useRoutineComparison(place, range);
  const places = answer.data?.places ?? [];
  return (
    <div className="routine-page">
      <p className="weak">{p.lead}</p>
      <div className="row routine-choice">
        {places.length || place ? <PlaceChoice places={places} place={place} choose={setPlace} /> : null}
        <DayRange label={p.periodChoice} fallback={p.lastYears} />
      </div>
      <Loaded answer={answer} skeleton={<Skeleton lines={10} />}>
        {(found) => (
          <>
            {found.places.length ? (
              <Compared found={found} />
            ) : range.chosen ? (
              <Empty title={p.nonePeriod}>{p.nonePeriodHint}</Empty>
            ) : (
              <Empty title={p.none}>{p.noneHint}</Empty>
            )}
            {mayPlan(account) ? <StudyForm kinds={found.kinds} /> : null}
          </>
        )}
      </Loaded>
    </div>
  );
}

function PlaceChoice({ places, place, choose }: { places: string[]; place: string; choose: (place: string) => void }) {
  const all = place && !places.includes(place) ? [...places, place] : places;
  return (
    <label className="field routine-place">
      <span>{p.place}</span>
      <select value={place} onChange={(event) => choose(event.target.value)}>
        <option value="">{p.everything}</option>
        {all.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function Compared({ found }: { found: RoutineComparison }) {
  const notes = [found.note].filter(Boolean);
  return (
    <>
      <Card title={p.title}>
        <Total found={found} />
        {notes.map((note) => (
          <p key={note} className="routine-note">
            {note}
          </p>
        ))}
        <Faults title={p.warnings} faults={found.warnings} mark="▲ " />
        <Faults title={p.leftOut} faults={found.left_out} mark="" />
      </Card>
      <Card title={p.saved}>
        <Kinds found={found} />
        <p className="weak">
          {p.period} <Time at={found.from} precision="day" /> – <Time at={found.to} precision="day" />. {p.rule(found.rule, found.source)}
        </p>
      </Card>
    </>
  );
}

function Total({ found }: { found: RoutineComparison }) {
  const { total, money } = found;
  const d = total.difference;
  const means = p.from(tenth(total.before.mean), total.before.count, tenth(total.after.mean), total.after.count);
  if (!d) {
    return (
      <div role="status">
        <p className="routine-figure">{p.tooFew}</p>
        <p>
          {total.refused?.message}. {total.refused?.hint}.
        </p>
        {found.since ? null : <p>{p.sinceUnknown}</p>}
      </div>
    );
  }
  const told = d.clear ? Math.abs(d.mean) : -d.mean;
  const source = { url: found.provenance, title: p.title };
  return (
    <>
      <p className="routine-figure">
        <Figure estimate text={tenth(told)} unit="min" source={source} /> <span>{d.clear ? (d.mean < 0 ? p.less : p.more) : p.unclear}</span>
      </p>
      <p>
        {p.interval(tenth(-d.high), tenth(-d.low), formatNumber(found.confidence * 100, 0))} {means} {p.rest}
      </p>
      <p>
        {money
          ? p.money(`${money.per_shift} ${money.currency}`, money.low, `${money.high} ${money.currency}`, `${money.rate} ${money.currency}`)
          : p.noMoney}
      </p>
    </>
  );
}

function Faults({ title, faults, mark }: { title: string; faults: RoutineComparison["warnings"]; mark: string }) {
  if (faults.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul className="routine-faults">
        {faults.map((fault) => (
          <li key={`${fault.code} ${fault.where}`}>
            {mark}
            {fault.message}. {fault.hint ? <span className="weak">{fault.hint}.</span> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Saved is before less after: right of zero is what was hoped for. */
function Kinds({ found }: { found: RoutineComparison }) {
  const rows = found.kinds.flatMap((kind) => {
    const d = kind.difference;
    return d ? [{ name: kind.title, mean: -d.mean, low: -d.high, high: -d.low, clear: d.clear }] : [];
  });
  const told = rows.map((row) => p.row(row.name, tenth(row.mean), tenth(row.low), tenth(row.high))).join("; ");
  return (
    <>
      {rows.length ? <DotWhisker rows={rows} label={p.chart(told)} unit="min" /> : null}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="grid-box" tabIndex={0} role="group" aria-label={p.saved}>
        <table className="grid stacks" style={stackedBy([p.cols.kind, p.cols.before, p.cols.after, p.cols.saved, p.cols.interval])}>
          <thead>
            <tr>
              <th scope="col">{p.cols.kind}</th>
              {[p.cols.before, p.cols.after, p.cols.saved, p.cols.interval].map((title) => (
                <th key={title} scope="col" className="right">
                  <span className="column">{title}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.kinds.map((kind) => (
              <KindRow key={kind.kind} kind={kind} url={found.provenance} title={kind.title} />
            ))}
            <KindRow kind={found.total} url={found.provenance} title={p.all} />
          </tbody>
        </table>
      </div>
      <p className="weak">{p.each}</p>
    </>
  );
}

function KindRow({ kind, url, title }: { kind: KindChange; url: string; title: string }) {
  const d = kind.difference;
  return (
    <tr>
      <th scope="row">{title}</th>
      <td className="num right nowrap">{kind.before.count ? `${tenth(kind.before.mean)} min` : "–"}</td>
      <td className="num right nowrap">{kind.after.count ? `${tenth(kind.after.mean)} min` : "–"}</td>
      <td className="num right nowrap">{d ? <Figure estimate text={tenth(-d.mean)} unit="min" source={{ url, title }} /> : "–"}</td>
      <td className="num right nowrap">{d ? `${tenth(-d.high)} … ${tenth(-d.low)}` : <span className="weak">{p.tooFew}</span>}</td>
    </tr>
  );
}
