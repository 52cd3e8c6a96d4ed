import type { FailureModel } from "../../../api/types";
import { trainFailures, useFailureModels } from "../../../data/life";
import { Card } from "../../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { stackedBy } from "../../../parts/stacked";
import { t } from "../../../texts/en";
import { formatNumber } from "../../../time/figure";
import { Teachers } from "./Teachers";
import { Train } from "./Train";

const f = t.life.failures;

interface Judgement {
  score: number;
  chance: number;
}

interface Fault {
  message: string;
  where: string;
}

interface Summary {
  machines: number;
  failures: Record<string, number>;
  left_out: Fault[];
  judgement: Judgement;
  fleet: Record<string, [number, number]>;
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, one) => all + one, 0);

/** Models of failures within days, by type of machine; `only`: of one type. */
export function FailureModels({ only }: { only?: string }) {
  const answer = useFailureModels(only);
  return (
    <Card title={only === undefined ? f.title : f.ofType}>
      <p className="weak">{f.lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={3} />}>
        {(found) => (found.items.length === 0 ? <Empty title={f.none}>{f.noneHint}</Empty> : <Models models={found.items} party={found.party} />)}
      </Loaded>
    </Card>
  );
}

function Models({ models, party }: { models: FailureModel[]; party: string }) {
  const c = f.col;
  const titles = [c.type, c.area, c.own, c.learnt, c.teach, c.state];
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="grid-box" tabIndex={0} role="group" aria-label={f.title}>
      <table className="grid stacks" style={stackedBy(titles)}>
        <thead>
          <tr>
            {titles.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <Model key={model.machine_type} model={model} party={party} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Model({ model, party }: { model: FailureModel; party: string }) {
  const known = model.summary as Summary | null;
  const own = known?.fleet[party];
  const permitted = model.teachers.filter((one) => one.permitted);
  const figure = (value: number): string => formatNumber(value, 2);
  return (
    <tr>
      <td>
        <strong>{model.machine_type}</strong>
      </td>
      <td className="num">{known ? f.area(figure(known.judgement.score), formatNumber(known.judgement.chance, 3)) : f.noModel}</td>
      <td className="num">{own ? f.own(figure(own[0]), figure(own[1])) : "–"}</td>
      <td className="life-words">{known ? <Learnt known={known} digest={model.artefact} /> : "–"}</td>
      <td>
        {f.machines(permitted.length, model.teachers.length)}
        {Object.entries(model.failures).map(([component, count]) => (
          <div key={component}>
            {count < model.needed ? f.counts(component, formatNumber(count, 0), formatNumber(model.needed, 0)) : f.enough(component, formatNumber(count, 0))}
          </div>
        ))}
        {permitted.length === 0 ? null : (
          <details>
            <summary>{f.each}</summary>
            {permitted.map((one) => (
              <div className="weak" key={one.twin}>
                {f.taught(one.twin, formatNumber(one.days, 0), formatNumber(sum(one.failures), 0))}
              </div>
            ))}
          </details>
        )}
        <Teachers teachers={model.teachers} />
      </td>
      <td className="life-words">
        {model.drift?.text ?? "–"}
        <Train name={model.machine_type} ask={() => trainFailures(model.machine_type)} />
      </td>
    </tr>
  );
}

function Learnt({ known, digest }: { known: Summary; digest: string }) {
  return (
    <>
      {f.learnt(formatNumber(sum(known.failures), 0), formatNumber(known.machines, 0))}
      <div className="weak code" title={digest}>
        {digest.slice(0, 19)}…
      </div>
      {known.left_out.map((fault) => (
        <div className="weak" key={fault.where}>
          {f.leftOut}: {fault.message}
        </div>
      ))}
    </>
  );
}
