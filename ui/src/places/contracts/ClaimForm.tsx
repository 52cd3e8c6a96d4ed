import { type FormEvent, useState } from "react";
import { ApiError, path, post } from "../../api/client";
import type { ContractDetail, Exclusion, GuaranteeInterval } from "../../api/types";
import { reloadAll } from "../../data/query";
import { Card } from "../../parts/Card";
import { useZone } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { go, href } from "../../route/router";
import { t } from "../../texts/en";
import { formatDuration, formatInstant, parseInstant } from "../../time/instant";

const c = t.claims;
type Ground = keyof typeof c.kinds;

/** Claims a stop for the own party; the other one decides. */
export function ClaimForm({ contract, interval, close }: { contract: ContractDetail; interval: GuaranteeInterval; close: () => void }) {
  const zone = useZone();
  const terms = contract.terms as { guarantee?: { exclusions?: { kind: Ground }[] } };
  const grounds = (terms.guarantee?.exclusions ?? []).map((e) => e.kind).filter((kind) => (contract.you === "customer") === (kind === "provider_failure"));
  const [kind, setKind] = useState<Ground | "">(grounds[0] ?? "");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      await post<Exclusion>(path`/contracts/${contract.id}/exclusions`, { twin: interval.twin, kind, from: interval.from, to: interval.to, text });
      reloadAll();
      go(href(`contracts/${contract.id}/claims`));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  return (
    <Card title={c.claim}>
      <p>
        {interval.twin}, {formatInstant(parseInstant(interval.from), zone, "minute")}, {formatDuration(parseInstant(interval.to) - parseInstant(interval.from))}
      </p>
      <form className="command-form" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>{c.ground}</span>
          <select value={kind} onChange={(e) => setKind(e.target.value as Ground)}>
            {grounds.map((one) => (
              <option key={one} value={one}>
                {c.kinds[one]}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{c.why}</span>
          <input type="text" value={text} maxLength={4000} onChange={(e) => setText(e.target.value)} />
        </label>
        <div className="row">
          <button type="submit" className="primary" disabled={!kind}>
            {c.send}
          </button>
          <button type="button" className="plain" onClick={close}>
            {t.close}
          </button>
          <span className="weak">{c.explain}</span>
        </div>
      </form>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
