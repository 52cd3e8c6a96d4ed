import type { ComponentLife, LifeModel } from "../../api/types";
import { trainLife, useFleetLife, useLifeModels } from "../../data/life";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { stackedBy } from "../../parts/stacked";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { UrgencyMark } from "../twin/health/lifeMarks";
import { left } from "../twin/health/lifeWords";
import { worthLine } from "../twin/health/Worth";
import { FailureModels } from "./models/FailureModels";
import { Teachers } from "./models/Teachers";
import { Train } from "./models/Train";

const f = t.life.fleet;

/** Components of all machines by urgency, and the models that say so. */
export default function RemainingLives() {
  const fleet = useFleetLife();
  const models = useLifeModels();
  return (
    <div className="column">
      <p className="weak">{f.lead}</p>
      <Loaded answer={fleet} skeleton={<Skeleton lines={6} />}>
        {(components) => (components.length === 0 ? <Empty title={f.none}>{t.life.noneHint}</Empty> : <Components components={components} />)}
      </Loaded>
      <Card title={f.models}>
        <p className="weak">{f.modelsLead}</p>
        <Loaded answer={models} skeleton={<Skeleton lines={3} />}>
          {(found) => (found.items.length === 0 ? <Empty title={f.noModel} /> : <Models models={found.items} party={found.party} />)}
        </Loaded>
      </Card>
      <FailureModels />
    </div>
  );
}

function Components({ components }: { components: ComponentLife[] }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="grid-box" tabIndex={0} role="group" aria-label={f.tab}>
      <table className="grid stacks" style={stackedBy([f.col.urgency, f.col.machine, f.col.component, f.col.left, f.col.doNext])}>
        <thead>
          <tr>
            <th scope="col">{f.col.urgency}</th>
            <th scope="col">{f.col.machine}</th>
            <th scope="col">{f.col.component}</th>
            <th scope="col">{f.col.left}</th>
            <th scope="col">{f.col.doNext}</th>
          </tr>
        </thead>
        <tbody>
          {components.map((one) => (
            <tr key={`${one.twin} ${one.method} ${one.component}`}>
              <td>
                <UrgencyMark urgency={one.urgency} />
              </td>
              <td>
                <a href={`/app/machines/${encodeURIComponent(one.twin)}/health`}>{one.twin}</a>
              </td>
              <td>{one.component}</td>
              <td className="num">{left(one)}</td>
              <td className="life-words">
                {one.what_to_do}
                {one.worth ? <div className="weak">{f.costs(worthLine(one.worth))}</div> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Summary {
  life_unit: string;
  confidence: number;
  quality: { rmse: number; coverage: number };
  simple: { rmse: number };
  fleet: Record<string, [number, number]>;
}

function Models({ models, party }: { models: LifeModel[]; party: string }) {
  const c = f.modelCol;
  const titles = [c.model, c.error, c.simple, c.own, c.covers, c.cost, c.teach, c.state];
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="grid-box" tabIndex={0} role="group" aria-label={f.models}>
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
            <Model key={`${model.machine_type} ${model.component}`} model={model} party={party} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Model({ model, party }: { model: LifeModel; party: string }) {
  const known = model.summary as Summary | null;
  const unit = known?.life_unit ?? "";
  const permitted = model.teachers.filter((one) => one.permitted);
  const lives = permitted.reduce((sum, one) => sum + one.lives, 0);
  const own = known?.fleet[party];
  const digits = (value: number): string => `${formatNumber(value, 1)} ${unit}`;
  return (
    <tr>
      <td>
        <strong>{model.component}</strong> <span className="weak">{model.machine_type}</span>
      </td>
      <td className="num">{known ? digits(known.quality.rmse) : f.noModel}</td>
      <td className="num">{known ? digits(known.simple.rmse) : "–"}</td>
      <td className="num">{own ? digits(own[1]) : "–"}</td>
      <td className="num">{known ? `${formatNumber(known.quality.coverage * 100, 0)} / ${formatNumber(known.confidence * 100, 0)} %` : "–"}</td>
      <td className="num">{model.worth ? worthLine(model.worth) : "–"}</td>
      <td>
        {f.lives(lives, permitted.length, model.teachers.length)}
        <Teachers teachers={model.teachers} />
      </td>
      <td className="life-words">
        {model.drift?.text ?? "–"}
        <Train name={`${model.component} ${model.machine_type}`} ask={() => trainLife(model.machine_type, model.component)} />
      </td>
    </tr>
  );
}
