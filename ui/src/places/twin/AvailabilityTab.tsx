import { get, path } from "../../api/client";
import type { Availability, DefinitionsAnswer, TwinDetail } from "../../api/types";
import { useQuery } from "../../data/query";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { WindowBar } from "../../parts/WindowBar";
import { t } from "../../texts/en";
import { formatNumber, formatRatio } from "../../time/figure";
import { formatDuration, parseInstant } from "../../time/instant";
import { useWindow } from "../../time/window";
import { useRange } from "./OeeTab";

const a = t.availability;
const FORMULAS = ["iso22400@1", "en15341-m10@1", "en15341-m12@1", "en15341-pha8@1", "vdi3423@1"] as const;

/** The same recording under every formula, side by side: why a contract names its formula. */
export function AvailabilityTab({ twin }: { twin: TwinDetail }) {
  const window = useWindow("30d");
  const range = useRange(window);
  const answer = useQuery(
    `availability ${twin.id} ${window.key}`,
    (signal) => Promise.all(FORMULAS.map((formula) => get<Availability>(path`/twins/${twin.id}/availability`, { ...range, formula }, signal))),
    window.rolling ? 30_000 : 0,
    `availability ${twin.id}`,
  );
  return (
    <>
      <div className="toolbar">
        <WindowBar window={window} spans={["8h", "24h", "7d", "30d", "1y", "10y"]} />
      </div>
      <p className="weak lead-in">{a.lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton height={220} />}>
        {(all) => (
          <ul className="formulas">
            {all.map((one) => (
              <Formula key={one.formula} one={one} whole={(parseInstant(range.to) - parseInstant(range.from)) / 1000} />
            ))}
          </ul>
        )}
      </Loaded>
      <Definitions twin={twin} range={range} name={window.key} refresh={window.rolling ? 60_000 : 0} />
    </>
  );
}

interface Range {
  from: string;
  to: string;
}

/** The machine's own words under three definitions, as recorded and without the gaps that the recording declares. */
function Definitions({ twin, range, name, refresh }: { twin: TwinDetail; range: Range; name: string; refresh: number }) {
  const answer = useQuery(
    `definitions ${twin.id} ${name}`,
    (signal) => get<DefinitionsAnswer>(path`/twins/${twin.id}/availability/definitions`, { ...range }, signal),
    refresh,
    `definitions ${twin.id}`,
  );
  if (answer.error || !answer.data) return null;
  const found = answer.data;
  return (
    <Card title={a.definitions} extra={<span className="pill quiet">{a.exercise}</span>}>
      <p className="weak">{a.definitionsLead(found.signal)}</p>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{a.definition}</th>
              <th scope="col">{a.words}</th>
              <th scope="col" className="right">
                {a.recorded}
              </th>
              <th scope="col" className="right">
                {a.withoutGaps}
              </th>
            </tr>
          </thead>
          <tbody>
            {found.definitions.map((one) => (
              <tr key={one.name}>
                <th scope="row">{one.title}</th>
                <td className="weak">
                  {one.good.length ? a.good : a.bad} {(one.good.length ? one.good : one.bad).join(", ")}
                </td>
                <td className="right">
                  <Figure text={formatRatio(one.value)} unit="%" source={{ url: found.provenance, title: one.title }} />
                </td>
                <td className="right num">{formatRatio(one.value_without_gaps)} %</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="weak">
        {a.unknown}: {formatDuration(found.unknown_s * 1000)}; {a.declared}: {formatDuration(found.declared_gaps_s * 1000)}
      </p>
    </Card>
  );
}

function Formula({ one, whole }: { one: Availability; whole: number }) {
  const names = a.formulas[one.formula as keyof typeof a.formulas] ?? { name: one.formula, text: "" };
  const known = Math.max(0, 1 - one.unknown_s / (whole || 1));
  return (
    <li>
      <Card title={names.name} extra={<span className="weak code">{one.formula}</span>}>
        {one.value === null ? (
          <p className="formula-none">
            <span className="kpi-value">–</span>
            <span>{(one.reason && (t.whyUndefined[one.reason] ?? one.reason)) || a.undefined}</span>
          </p>
        ) : (
          <Figure className="kpi-value" text={formatRatio(one.value, 2)} unit="%" source={{ url: one.provenance, title: names.name }} />
        )}
        <p className="weak">{names.text}</p>
        <table className="plain-table">
          <tbody>
            <tr>
              <th scope="row">{a.numerator}</th>
              <td className="right num">{formatDuration(one.numerator_s * 1000)}</td>
            </tr>
            <tr>
              <th scope="row">{a.denominator}</th>
              <td className="right num">{formatDuration(one.denominator_s * 1000)}</td>
            </tr>
            {Object.entries(one.terms)
              .filter((entry): entry is [string, number] => typeof entry[1] === "number")
              .map(([name, seconds]) => (
                <tr key={name} className="term">
                  <th scope="row">{name.replace(/_s$/, "").replace(/_/g, " ")}</th>
                  <td className="right num">{name.endsWith("_n") ? formatNumber(seconds, 0) : formatDuration(seconds * 1000)}</td>
                </tr>
              ))}
            <tr>
              <th scope="row">{a.unknown}</th>
              <td className="right num">{formatDuration(one.unknown_s * 1000)}</td>
            </tr>
          </tbody>
        </table>
        <p className="known" title={a.knownHint}>
          <span className="known-bar">
            <span style={{ width: `${known * 100}%` }} />
          </span>
          <span className="weak num">
            {formatRatio(known)} % {a.known}
          </span>
        </p>
      </Card>
    </li>
  );
}
