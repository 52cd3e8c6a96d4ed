import type { CaseDetail } from "../../api/types";
import { useCase } from "../../data/cases";
import { useTwin } from "../../data/twins";
import { Since, Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { Acts } from "./Acts";
import { Alarms } from "./Alarms";
import { FoundBy } from "./FoundBy";
import { Guarantees } from "./Guarantees";
import { History } from "./History";
import { Hypotheses } from "./Hypotheses";
import { AlarmPill, SeverityMark, StatusWord } from "./marks";
import { Proofs } from "./Proofs";
import { Related } from "./Related";
import { Standing } from "./Standing";
import { Timeline } from "./Timeline";
import { Why } from "./Why";

const c = t.case;

/** One case: what is violated, since when, why, what is done about it, and what is still to be proven. */
export default function CasePage({ id }: { id: string }) {
  const answer = useCase(id);
  if (answer.error?.status === 404) {
    return (
      <Empty title={t.cases.notFound}>
        <Link place="cases">{t.cases.title}</Link>
      </Empty>
    );
  }
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={12} />}>
      {(one) => <CaseView one={one} reload={answer.reload} />}
    </Loaded>
  );
}

function CaseView({ one, reload }: { one: CaseDetail; reload: () => void }) {
  const twin = useTwin(one.twin);
  return (
    <div className="case-page">
      <Head one={one} component={twin.data?.components.find((part) => part.path === one.component)?.title ?? ""} />
      <div className="columns even">
        <Standing one={one} />
        <Guarantees one={one} />
      </div>
      <Related one={one} />
      <Acts one={one} twin={twin.data} reload={reload} />
      {twin.data ? <Timeline one={one} twin={twin.data} /> : <Skeleton height={240} />}
      <div className="columns even">
        {one.source ? <FoundBy one={one} twin={twin.data} /> : <Why one={one} twin={twin.data} />}
        <div className="column">
          {one.source ? null : <Alarms one={one} />}
          {one.source && one.hypotheses.length === 0 ? null : <Hypotheses one={one} twin={twin.data} />}
          {one.source ? null : <Proofs one={one} />}
        </div>
      </div>
      <History one={one} />
    </div>
  );
}

function Head({ one, component }: { one: CaseDetail; component: string }) {
  return (
    <header className={`twin-head case-head severity-edge-${one.severity}`}>
      <div>
        <nav className="crumbs" aria-label={t.twin.partOf}>
          <Link place="cases">{t.cases.title}</Link>
          <span aria-hidden="true">›</span>
          <Link place={`machines/${one.twin}`}>{one.twin_title}</Link>
        </nav>
        <h1>{one.text || one.requirement}</h1>
        <p className="twin-sub weak">
          {component || one.component || c.whole} · <span className="code">{one.requirement}</span> · {c.opened} <Time at={one.opened} zone />
        </p>
        {one.formula || one.source ? null : <p className="note">{c.requirementGone}</p>}
        {one.recurred ? <p className="recurred">{t.cases.recurred(one.recurred)}</p> : null}
      </div>
      <div className="twin-now">
        <SeverityMark severity={one.severity} />
        <span>
          <StatusWord status={one.status} active={one.active} source={one.source} />
          {one.active ? (
            <span className="weak">
              {" "}
              {c.since} <Since at={one.findings.at(-1)?.from ?? one.opened} />
            </span>
          ) : null}
        </span>
        <AlarmPill alarm={one.alarm} />
        {one.shelved_until ? (
          <span className="weak">
            → <Time at={one.shelved_until} precision="minute" />
          </span>
        ) : null}
      </div>
    </header>
  );
}
