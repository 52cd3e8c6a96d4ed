import { get, path } from "../../api/client";
import type { LevelEntry, LevelHistory, LevelName, TwinDetail } from "../../api/types";
import { useQuery } from "../../data/query";
import { useAsOfText } from "../../data/twins";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { LevelMark } from "../../parts/LevelMark";
import { t } from "../../texts/en";
import { parseInstant } from "../../time/instant";

const l = t.level;

/** The measured level of the twin, why, and how it came to be. */
export function Level({ twin }: { twin: TwinDetail }) {
  const asOf = useAsOfText();
  const history = useQuery(
    `level ${twin.id} ${asOf ?? "now"}`,
    (signal) => get<LevelHistory>(path`/twins/${twin.id}/level`, { as_of: asOf }, signal),
    asOf === null ? 15_000 : 0,
  );
  const level = twin.level;
  return (
    <div className="columns even">
      <div className="column">
        <Card title={l.now}>
          <p className="level-now">
            <LevelMark level={level.level} />
          </p>
          <p>{level.why}</p>
          <p className="weak">
            {t.levelHints[level.level]} {level.since ? <>{l.since} </> : null}
            {level.since ? <Time at={level.since} zone /> : null}
          </p>
        </Card>
        <Card title={l.commands}>
          <Parts parts={level.commands} />
        </Card>
        <Card title={l.signals}>
          <Parts parts={level.signals} />
        </Card>
      </div>
      <Card title={l.history}>
        <Loaded answer={history}>
          {(h) => <History items={h.items} />}
        </Loaded>
      </Card>
    </div>
  );
}

function Parts({ parts }: { parts: Record<string, LevelName> }) {
  const entries = Object.entries(parts).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return <p className="weak">{t.none}</p>;
  return (
    <ul className="tree">
      {entries.map(([name, level]) => (
        <li key={name}>
          <span className="code">{name}</span>
          <LevelMark level={level} />
        </li>
      ))}
    </ul>
  );
}

function History({ items }: { items: LevelEntry[] }) {
  if (items.length === 0) return <p className="weak">{l.none}</p>;
  return (
    <ol className="history">
      {items.map((entry, i) => (
        <li key={`${entry.subject} ${entry.since} ${i}`}>
          <div className="row">
            <LevelMark level={entry.level} />
            {entry.subject ? <span className="code">{entry.subject}</span> : <span className="weak">{l.whole}</span>}
            <span className="spring" />
            <span className="weak">
              <Time at={entry.since} />
            </span>
          </div>
          <dl className="evidence">
            {Object.entries(entry.evidence).map(([name, value]) => (
              <div key={name}>
                <dt>{name.replace(/_/g, " ")}</dt>
                <dd>{evidenceText(value)}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ol>
  );
}

const INSTANT_NS = 1e17;

function evidenceText(value: unknown) {
  if (typeof value === "number" && value > INSTANT_NS) return <Time at={value / 1e6} precision="ms" />;
  if (typeof value === "string" && Number.isFinite(parseInstant(value))) return <Time at={value} precision="ms" />;
  return typeof value === "string" ? value : JSON.stringify(value);
}
