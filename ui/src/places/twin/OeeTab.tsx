import { get, path } from "../../api/client";
import type { Loss, Oee, TwinDetail } from "../../api/types";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { Figure } from "../../figures/Figure";
import { Card } from "../../parts/Card";
import { useMoment } from "../../parts/Clock";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { StateMark } from "../../parts/StateMark";
import { WindowBar } from "../../parts/WindowBar";
import { useParam } from "../../route/router";
import { t } from "../../texts/en";
import { formatNumber, formatRatio } from "../../time/figure";
import { formatDuration, parseInstant, toRfc3339 } from "../../time/instant";
import { useWindow, type Window } from "../../time/window";
import { madeOf } from "../home/production";
import { lossName, Waterfall } from "./Waterfall";

const o = t.oee;
const BY = ["", "shift", "product", "cause"] as const;

export function useRange(window: Window & { rolling: boolean }): { from: string; to: string } {
  const asOf = useAsOfText();
  const moment = useMoment(1000);
  // Whole seconds, and never beyond the moment looked at: time that has not come yet is nobody's.
  const known = asOf === null ? (window.rolling ? window.to : moment) : parseInstant(asOf);
  const from = Math.floor(window.from / 1000) * 1000;
  const to = Math.max(from + 1000, Math.floor(Math.min(window.to, known) / 1000) * 1000);
  return { from: toRfc3339(from), to: toRfc3339(to) };
}

/** OEE of the window with its losses, what was assumed, and the same by shift, product or cause. */
export function OeeTab({ twin }: { twin: TwinDetail }) {
  const window = useWindow("8h");
  const [by, setBy] = useParam("by");
  const range = useRange(window);
  const answer = useQuery(
    `oee ${twin.id} ${window.key} ${by}`,
    (signal) => get<Oee>(path`/twins/${twin.id}/oee`, { ...range, by }, signal),
    window.rolling ? 15_000 : 0,
    `oee ${twin.id} ${by}`,
  );
  return (
    <>
      <div className="toolbar">
        <WindowBar window={window} spans={["1h", "8h", "24h", "7d", "30d", "1y"]} />
        <span className="spring" />
        <div className="segmented" role="group" aria-label={o.by}>
          {BY.map((choice) => (
            <button key={choice} type="button" aria-pressed={by === choice} onClick={() => setBy(choice)}>
              {o.groups[choice || "all"]}
            </button>
          ))}
        </div>
      </div>
      <Loaded answer={answer} skeleton={<Skeleton height={260} />}>
        {(oee) => <OeeView oee={oee} />}
      </Loaded>
    </>
  );
}

function OeeView({ oee }: { oee: Oee }) {
  const name = oee.called === "OEE" ? o.oee : o.utilisation;
  return (
    <>
      <div className="kpis">
        <Kpi title={name} value={oee.oee} oee={oee} main />
        <span className="kpi-sign" aria-hidden="true">
          =
        </span>
        <Kpi title={o.availability} value={oee.availability} oee={oee} />
        <span className="kpi-sign" aria-hidden="true">
          ×
        </span>
        <Kpi title={o.performance} value={oee.performance} oee={oee} />
        <span className="kpi-sign" aria-hidden="true">
          ×
        </span>
        <Kpi title={o.quality} value={oee.quality} oee={oee} />
      </div>
      {oee.reason ? <p className="note">{t.whyUndefined[oee.reason] ?? oee.reason}</p> : null}
      {oee.flags.map((flag) => (
        <p className="note flagged" key={flag}>
          ⚑ {flag}
        </p>
      ))}
      <div className="columns">
        <Card title={o.waterfall}>
          {oee.losses.length ? <Waterfall losses={oee.losses.filter((loss) => loss.share !== null)} left={oee.oee} name={name} source={oee.provenance} /> : <p className="weak">{o.noLosses}</p>}
        </Card>
        <div className="column">
          <Card title={o.assumed}>
            {oee.assumed.length ? (
              <ul className="assumed">
                {oee.assumed.map((text) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            ) : (
              <p className="weak">{o.nothingAssumed}</p>
            )}
          </Card>
          <Terms oee={oee} />
        </div>
      </div>
      <Split groups={(oee.groups ?? []) as unknown as Group[]} name={name} source={oee.provenance} />
    </>
  );
}

function Kpi({ title, value, oee, main = false }: { title: string; value: number | null; oee: Oee; main?: boolean }) {
  return (
    <div className={main ? "kpi main" : "kpi"}>
      <span className="kpi-title">{title}</span>
      <Figure text={formatRatio(value)} unit="%" source={{ url: oee.provenance, title }} className="kpi-value" />
    </div>
  );
}

function Terms({ oee }: { oee: Oee }) {
  const outside = oee.losses.filter((loss) => loss.share === null);
  const made = madeOf(oee);
  return (
    <>
      {outside.length ? (
        <Card title={o.outside}>
          <table className="plain-table">
            <tbody>
              {outside.map((loss) => (
                <tr key={loss.name}>
                  <th scope="row">{lossName(loss)}</th>
                  <td className="right num">{formatDuration(loss.seconds * 1000)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      ) : null}
      <Card title={o.terms}>
        <table className="plain-table">
          <tbody>
            <tr>
              <th scope="row">{o.partsMade}</th>
              <td className="right num">{formatNumber(made.made, 0)}</td>
            </tr>
            <tr>
              <th scope="row">{o.partsGood}</th>
              <td className="right num">{formatNumber(made.good, 0)}</td>
            </tr>
            <tr>
              <th scope="row">{o.partsPlanned}</th>
              <td className="right num">{made.planned === null ? "–" : `≈ ${formatNumber(made.planned, 0)}`}</td>
            </tr>
          </tbody>
        </table>
      </Card>
    </>
  );
}

interface Group {
  key: string;
  party?: string;
  state?: string;
  share?: number | null;
  oee: number | null;
  availability: number | null;
  performance: number | null;
  quality: number | null;
  losses?: Loss[];
  seconds?: number;
}

/** Losses by cause have a length and a party; shifts and products have figures of their own. */
function Split({ groups, name, source }: { groups: Group[]; name: string; source: string }) {
  if (groups.length === 0) return null;
  return groups[0]?.seconds === undefined ? <Groups groups={groups} name={name} source={source} /> : <Causes groups={groups} source={source} />;
}

function Causes({ groups, source }: { groups: Group[]; source: string }) {
  return (
    <Card title={o.byCause}>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.states_page.cause}</th>
              <th scope="col">{t.states_page.state}</th>
              <th scope="col">{t.states_page.party}</th>
              <th scope="col" className="right">
                {t.states_page.duration}
              </th>
              <th scope="col" className="right">
                {t.states_page.share}
              </th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group, i) => (
              <tr key={i}>
                <th scope="row">{group.key || t.states_page.unattributed}</th>
                <td>
                  <StateMark state={group.state} />
                </td>
                <td>{group.party || t.states_page.unattributed}</td>
                <td className="right">
                  <Figure text={formatDuration((group.seconds ?? 0) * 1000)} source={{ url: source, title: group.key }} />
                </td>
                <td className="right num">{formatRatio(group.share)} %</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function lossOf(group: Group): string {
  const loss = biggest(group.losses?.filter((one) => one.share !== null));
  return loss ? lossName(loss) : "–";
}

function Groups({ groups, name, source }: { groups: Group[]; name: string; source: string }) {
  const columns = [
    [name, "oee"],
    [o.availability, "availability"],
    [o.performance, "performance"],
    [o.quality, "quality"],
  ] as const;
  return (
    <Card title={o.byGroup}>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{o.group}</th>
              {columns.map(([title]) => (
                <th scope="col" className="right" key={title}>
                  {title} %
                </th>
              ))}
              <th scope="col">{o.biggest}</th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group, i) => (
              <tr key={`${group.key} ${i}`}>
                <th scope="row">{group.key || o.unnamed}</th>
                {columns.map(([title, key]) => (
                  <td className="right" key={key}>
                    <Figure text={formatRatio(group[key])} source={{ url: source, title: `${title}: ${group.key}` }} />
                  </td>
                ))}
                <td>{lossOf(group)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

export const biggest = (losses: readonly Loss[] | undefined): Loss | undefined =>
  losses?.reduce<Loss | undefined>((best, loss) => (best === undefined || loss.seconds > best.seconds ? loss : best), undefined);
