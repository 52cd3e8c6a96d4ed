import type { ComponentLife, FailureChance, LearntLife, Spectrum, TwinDetail, WearClass } from "../../../api/types";
import { useLife } from "../../../data/life";
import { Card, Facts } from "../../../parts/Card";
import { Time } from "../../../parts/Clock";
import { Empty, Loaded } from "../../../parts/Feedback";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { FailureModels } from "../../plan/models/FailureModels";
import { Course, LifeBar, UrgencyMark } from "./lifeMarks";
import { left, lifeUnit } from "./lifeWords";
import { Worth } from "./Worth";

const l = t.life;

/** How long the parts of the machine will last, and why; or that it is not known. */
export function RemainingLife({ twin }: { twin: TwinDetail }) {
  const answer = useLife(twin.id);
  const watched = answer.data?.some((one) => one.method === "chance");
  const type = twin.type?.split("@")[0];
  return (
    <>
      <Card title={l.title}>
        <p className="weak">{l.note}</p>
        <Loaded answer={answer}>
          {(components) =>
            components.length === 0 ? (
              <Empty title={l.none}>{l.noneHint}</Empty>
            ) : (
              <div className="life-list">
                {components.map((one) => (
                  <ComponentCard key={`${one.method} ${one.component}`} one={one} />
                ))}
              </div>
            )
          }
        </Loaded>
      </Card>
      {watched && type ? <FailureModels only={type} /> : null}
    </>
  );
}

function ComponentCard({ one }: { one: ComponentLife }) {
  return (
    <article className="life" aria-label={one.component}>
      <header className="life-head">
        <h3>{one.component}</h3>
        <UrgencyMark urgency={one.urgency} />
        <span className="weak">{l.methods[one.method]}</span>
      </header>
      <p className="life-left num">{left(one)}</p>
      <p>{one.what_to_do}</p>
      {one.learnt ? <Learnt one={one} said={one.learnt} /> : null}
      {one.spectrum ? <Design said={one.spectrum} /> : null}
      {one.failure ? <Failure said={one.failure} /> : null}
      {one.wear ? <Wear said={one.wear} /> : null}
      {one.worth ? <Worth worth={one.worth} /> : null}
      {one.at ? (
        <p className="weak">
          {l.at} <Time at={one.at} zone /> · <a href={outcomes(one)}>{l.outcomes}</a>
        </p>
      ) : null}
    </article>
  );
}

const SERVICES = { learnt: "remaining_life", spectrum: "load_spectrum", chance: "failure_watch", wear: "tool_wear" } as const;

const outcomes = (one: ComponentLife): string =>
  `/api/v1/twins/${encodeURIComponent(one.twin)}/services/${SERVICES[one.method]}/outcomes?from=${one.at ?? ""}`;

function Failure({ said }: { said: FailureChance }) {
  return (
    <>
      {said.threshold === null ? null : <p className="weak">{l.threshold(formatNumber(said.threshold * 100, 1))}</p>}
      <ul className="life-doubts">
        {said.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
        {said.doubts.map((doubt) => (
          <li key={doubt.code}>
            {doubt.message} <span className="weak code">{doubt.code}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What is possible, and how often such words are right: few tools or idle signals make "I do not know" the true answer. */
function Wear({ said }: { said: WearClass }) {
  return (
    <>
      <ul className="life-doubts">
        {Object.entries(said.chances).map(([name, chance]) => (
          <li key={name}>{l.wear.possible(name, formatNumber(chance * 100, 0))}</li>
        ))}
        {said.doubts.map((doubt) => (
          <li key={doubt.code}>
            {doubt.message} <span className="weak code">{doubt.code}</span>
          </li>
        ))}
      </ul>
      <p className="weak">{l.wear.judged(formatNumber(said.tools, 0), formatNumber(said.held, 0), formatNumber(said.sure, 0), formatNumber(said.right, 0))}</p>
    </>
  );
}

function Learnt({ one, said }: { one: ComponentLife; said: LearntLife }) {
  const unit = lifeUnit(said.unit);
  if (!said.known) {
    return (
      <ul className="life-doubts">
        {said.doubts.map((doubt) => (
          <li key={doubt.code + doubt.where}>
            {doubt.message} <span className="weak code">{doubt.code}</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <>
      <LifeBar said={said} />
      <p className="weak">{l.confidence(formatNumber(said.confidence * 100, 0))}</p>
      <h4>{l.why}</h4>
      {said.reasons.length === 0 ? <p>{l.noSigns}</p> : null}
      <ul className="life-reasons">
        {said.reasons.map((reason) => (
          <li key={reason.signal}>
            <span className={reason.effect < 0 ? "life-effect takes num" : "life-effect num"}>
              {(reason.effect < 0 ? l.takes : l.adds)(formatNumber(Math.abs(reason.effect), 0), said.unit)}
            </span>
            <span>{reason.text}</span>
          </li>
        ))}
      </ul>
      <Course said={said} label={`${one.component}: ${l.course}`} />
      <Facts
        items={[
          [l.seen, `${formatNumber(said.age, 0)} ${unit}`],
          [l.since, <Time key="since" at={said.since} />],
          [l.model, <span key="model" className="code">{said.model.slice(0, 19)}…</span>],
        ]}
      />
    </>
  );
}

const YEAR = 365.25;

function Design({ said }: { said: Spectrum }) {
  const d = l.design;
  const years = (days: number): string => formatNumber(days / YEAR, 1);
  const lasts = said.days_low === null ? d.notYet : said.days_high === null ? d.yearsFrom(years(said.days_low)) : d.years(years(said.days_low), years(said.days_high));
  const share = (value: number): string => `${formatNumber(value * 100, 2)} %`;
  return (
    <>
      <div className="life-bar" role="img" aria-label={`${share(said.remaining)} ${d.remaining}`}>
        <span className="life-recorded" style={{ width: `${Math.min(100, said.recorded * 100)}%` }} />
        <span className="life-assumed" style={{ width: `${Math.min(100, said.assumed * 100)}%` }} />
      </div>
      <Facts
        items={[
          [d.used, `${share(said.used)} (${share(said.recorded)} ${d.recorded}, ${share(said.assumed)} ${d.assumed})`],
          [d.lasts, lasts],
          [d.factor, said.factor === null ? "–" : formatNumber(said.factor, 3)],
          [d.heaviest, `${formatNumber(said.heaviest * 100, 0)} ${d.ofRated}`],
          [d.over, formatNumber(said.over, 0)],
          [d.ran, `${formatNumber(said.running_h, 1)} h`],
        ]}
      />
    </>
  );
}
