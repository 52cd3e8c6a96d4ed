import { type FormEvent, useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { ContractDetail, ValueCounted } from "../../api/types";
import { reloadAll, useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Problem, Skeleton } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { money, share } from "./money";

const v = t.value;
const INPUTS = ["down_hours", "cost_per_hour", "visits", "cost_per_visit"] as const;
type Input = (typeof INPUTS)[number];

/** What the contract saves its customer, counted against what both parties agreed it was before. */
export function ValueCard({ contract }: { contract: ContractDetail }) {
  const answer = useQuery(`value ${contract.id}`, (signal) => get<ValueCounted>(path`/contracts/${contract.id}/value`, {}, signal), 60_000);
  const none = answer.error?.fault.code === "value:no-baseline";
  return (
    <Card title={v.title}>
      {answer.data ? <Counted value={answer.data} contract={contract} /> : none ? <p className="weak">{v.none}</p> : answer.error ? <Problem error={answer.error} /> : <Skeleton lines={4} />}
      {none && contract.you ? <Propose contract={contract} /> : null}
    </Card>
  );
}

function Counted({ value, contract }: { value: ValueCounted; contract: ContractDetail }) {
  const own = contract.you === "provider" ? contract.provider : contract.customer;
  const rows: [string, string][] = [
    [v.hours, `≈ ${formatNumber(Number(value.saved_hours), 1)} h`],
    [v.saved, `≈ ${money(value.saved, value.currency)}`],
    [v.after, `≈ ${money(value.after_fee, value.currency)}`],
    [v.npv(share(Number(value.rate))), `≈ ${money(value.npv, value.currency)}`],
  ];
  const widths = INPUTS.map((name) => ({ name, ends: (value.tornado[name] ?? []).map(Number) })).sort((a, b) => spread(b.ends) - spread(a.ends));
  return (
    <>
      <p>
        <span className={value.agreed ? "pill" : "pill quiet"}>{value.agreed ? v.agreed : v.proposed}</span>{" "}
        {contract.you && !value.signed_by.includes(own) ? (
          <button type="button" className="primary" onClick={() => void post(path`/contracts/${contract.id}/baselines/signatures`, {}).then(reloadAll)}>
            {v.sign}
          </button>
        ) : null}
      </p>
      <table className="plain-table">
        <tbody>
          {rows.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="right num">{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="weak">{v.range(money(value.low), money(value.high, value.currency))}</p>
      <h3>{v.moves}</h3>
      <table className="plain-table">
        <tbody>
          {widths.map(({ name, ends }) => (
            <tr key={name}>
              <th scope="row">{v.inputs[name]}</th>
              <td className="right num">
                {money(String(ends[0] ?? 0))} … {money(String(ends[1] ?? 0), value.currency)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const spread = (ends: number[]): number => Math.abs((ends[1] ?? 0) - (ends[0] ?? 0));

function Propose({ contract }: { contract: ContractDetail }) {
  const [figures, setFigures] = useState<Record<string, string>>({});
  const [source, setSource] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const estimate = (name: Input): Record<string, string> => {
      const likely = figures[name] ?? "0";
      return { low: figures[`${name} from`] || likely, likely, high: figures[`${name} to`] || likely };
    };
    try {
      await post(path`/contracts/${contract.id}/baselines`, { ...Object.fromEntries(INPUTS.map((name) => [name, estimate(name)])), source });
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  const set = (key: string) => (event: { target: { value: string } }): void => setFigures({ ...figures, [key]: event.target.value });
  return (
    <form className="baseline-form" onSubmit={(event) => void submit(event)}>
      {INPUTS.map((name) => (
        <fieldset key={name} className="row">
          <legend>{v.inputs[name]}</legend>
          {(["from", "likely", "to"] as const).map((part) => (
            <label className="field" key={part}>
              <span>{v[part]}</span>
              <input type="text" inputMode="decimal" required={part === "likely"} onChange={set(part === "likely" ? name : `${name} ${part}`)} />
            </label>
          ))}
        </fieldset>
      ))}
      <label className="field">
        <span>{v.source}</span>
        <input type="text" required value={source} onChange={(e) => setSource(e.target.value)} />
      </label>
      <button type="submit" className="primary">
        {v.propose}
      </button>
      {problem ? <Problem error={problem} /> : null}
    </form>
  );
}
