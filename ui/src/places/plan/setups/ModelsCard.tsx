import { type FormEvent, useState } from "react";
import { keepModel, type Model } from "../../../data/setups";
import { useAct } from "../../../data/useAct";
import { Card } from "../../../parts/Card";
import { Problem } from "../../../parts/Feedback";
import { mayPlan, useAccount } from "../../../session/session";
import { t } from "../../../texts/en";
import { formatBytes } from "../../../time/figure";

const u = t.setups;

/** Models of the company, and a way to bring one in. */
export function ModelsCard({ models, reload }: { models: readonly Model[]; reload: () => void }) {
  const account = useAccount();
  const [id, setId] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const { act, busy, problem } = useAct(reload);
  const keep = (event: FormEvent): void => {
    event.preventDefault();
    if (file) void act(() => keepModel(id, file));
  };
  return (
    <Card title={u.models}>
      <p className="weak">{u.modelsNote}</p>
      {models.length === 0 ? (
        <p>
          <strong>{u.noModels}</strong>. {u.noModelsHint}
        </p>
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="grid-box" tabIndex={0} role="group" aria-label={u.models}>
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">{u.name}</th>
                <th scope="col">{u.title}</th>
                <th scope="col">{u.kind}</th>
                <th scope="col" className="right">{u.size}</th>
              </tr>
            </thead>
            <tbody>
              {models.map((one) => (
                <tr key={one.id}>
                  <td>
                    <strong>{one.id}</strong>
                  </td>
                  <td>{one.title}</td>
                  <td>{[u.kinds[one.kind] ?? one.kind, one.fmi && `FMI ${one.fmi}`].filter(Boolean).join(", ")}</td>
                  <td className="num right">{formatBytes(one.size)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {mayPlan(account) ? (
        <form onSubmit={keep} className="scenario-row">
          <label className="file-field">
            {u.file}
            <input
              type="file"
              required
              accept=".fmu,.ssp"
              onChange={(event) => {
                const chosen = event.target.files?.[0] ?? null;
                setFile(chosen);
                if (chosen && !id) setId(chosen.name.replace(/\.[a-z]+$/i, "").toLowerCase().replace(/[^a-z0-9-]+/g, "-"));
              }}
            />
          </label>
          <label>
            {u.name}
            <input type="text" required maxLength={60} value={id} onChange={(event) => setId(event.target.value)} />
          </label>
          <button type="submit" className="plain" disabled={busy}>
            {u.keep}
          </button>
        </form>
      ) : null}
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
