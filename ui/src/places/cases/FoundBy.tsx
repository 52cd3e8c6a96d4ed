import type { CaseDetail, TwinDetail } from "../../api/types";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { FoundSignals } from "./FoundSignals";

const c = t.case;

/** What a service says that it found: a reason to look, and nothing that is proven. */
export function FoundBy({ one, twin }: { one: CaseDetail; twin: TwinDetail | undefined }) {
  return (
    <Card title={c.foundBy}>
      <p className="controller-note" role="note">
        {c.notProven}
      </p>
      {one.dismissed ? (
        <p>
          <strong>{c.dismissed}</strong>: {one.dismissed.text}
          {one.dismissed.normal_since ? (
            <>
              {" "}
              · {c.normalSince} <Time at={one.dismissed.normal_since} precision="minute" />
            </>
          ) : null}
        </p>
      ) : null}
      {one.told ? (
        <>
          <FoundSignals signals={one.told.signals} twin={twin} />
          {one.told.hints.map((hint) => (
            <p key={hint}>
              {t.anomalies.hint}: {hint}
            </p>
          ))}
        </>
      ) : null}
      <p className="weak">
        {c.byService} <span className="code">{[one.source, one.told?.version].filter(Boolean).join(" ")}</span> · <Link place={`machines/${one.twin}/health`}>{t.twin.tabs.health}</Link>
      </p>
    </Card>
  );
}
