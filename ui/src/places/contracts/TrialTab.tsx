import { useState } from "react";
import { get, path } from "../../api/client";
import type { Calibration, ContractDetail, GuaranteePrice, Trial } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Loaded, Skeleton } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { money, percent, share } from "./money";
import { OfferComparison } from "./OfferComparison";
import { ValueCard } from "./ValueCard";

const r = t.trial;

/** The terms over the past twelve months without money, and what it costs to give them. */
export function TrialTab({ contract }: { contract: ContractDetail }) {
  const trial = useQuery(`trial ${contract.id} ${contract.version}`, (signal) => get<Trial>(path`/contracts/${contract.id}/trial`, {}, signal));
  const price = useQuery(`price ${contract.id} ${contract.version}`, (signal) => get<GuaranteePrice>(path`/contracts/${contract.id}/price`, {}, signal));
  return (
    <>
      <div className="columns even">
        <Card title={r.months}>
          <p className="weak">{r.lead}</p>
          <Loaded answer={trial} skeleton={<Skeleton lines={8} />}>
            {(found) => <Months trial={found} level={contract.level ?? ""} />}
          </Loaded>
        </Card>
        <div className="column">
          <Card title={r.price}>
            <p className="weak">{r.priceLead}</p>
            <Loaded answer={price} skeleton={<Skeleton lines={8} />}>
              {(found) => <Price price={found} contract={contract} />}
            </Loaded>
          </Card>
          <ValueCard contract={contract} />
        </div>
      </div>
      <OfferComparison contract={contract} />
    </>
  );
}

interface Month {
  period: string;
  fee: string;
  credit: string;
  bonus: string;
  machines: { rounded_percent: string | null; missed_percent: string }[];
}

function Months({ trial, level }: { trial: Trial; level: string }) {
  const months = trial.periods as unknown as Month[];
  return (
    <>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{r.period}</th>
              <th scope="col" className="right">
                {r.values} ({level} {r.level})
              </th>
              <th scope="col" className="right">
                {r.fee}
              </th>
              <th scope="col" className="right">
                {r.credit}
              </th>
              <th scope="col" className="right">
                {r.bonus}
              </th>
            </tr>
          </thead>
          <tbody>
            {months.map((m) => (
              <tr key={m.period}>
                <th scope="row" className="nowrap">
                  {m.period}
                </th>
                <td className="right num">{m.machines.map((one) => `${Number(one.missed_percent) > 0 ? "▼ " : ""}${percent(one.rounded_percent)}`).join("  ")}</td>
                <td className="right num">{money(m.fee)}</td>
                <td className="right num">{money(m.credit)}</td>
                <td className="right num">{money(m.bonus)}</td>
              </tr>
            ))}
            <tr className="sum">
              <th scope="row">
                {r.sum} {trial.currency}
              </th>
              <td />
              <td className="right num">{money(trial.fee)}</td>
              <td className="right num">{money(trial.credit)}</td>
              <td className="right num">{money(trial.bonus)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      {trial.notes.map((note) => (
        <p className="weak" key={note}>
          {note}
        </p>
      ))}
    </>
  );
}

function Price({ price, contract }: { price: GuaranteePrice; contract: ContractDetail }) {
  const rows: [string, string][] = [
    [r.expected, `≈ ${money(price.expected_credit, price.currency)} (${share(price.expected_share, 2)} %)`],
    [r.premium(share(price.confidence)), `≈ ${money(price.premium, price.currency)} (${share(price.premium_share, 2)} %)`],
    [r.missed, `≈ ${share(price.missed)} %`],
    [r.spread, `≈ ${share(price.process_sd, 2)} %`],
    [r.open, `≈ ${share(price.parameter_sd, 2)} %`],
    [r.law.up, `${price.up.family}, ${r.mean} ≈ ${formatNumber(price.up.mean_h, 0)} h, ${r.ends(price.up.failures)}`],
    [r.law.down, `${price.down.family}, ${r.mean} ≈ ${formatNumber(price.down.mean_h, 1)} h, ${r.ends(price.down.failures)}`],
  ];
  return (
    <>
      <table className="plain-table">
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="right num">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {price.notes.map((note) => (
        <p className="weak" key={note}>
          {note}
        </p>
      ))}
      <Check contract={contract} />
    </>
  );
}

function Check({ contract }: { contract: ContractDetail }) {
  const [asked, setAsked] = useState(false);
  const answer = useQuery(asked ? `calibration ${contract.id}` : null, (signal) => get<Calibration>(path`/contracts/${contract.id}/calibration`, {}, signal));
  if (!asked) {
    return (
      <button type="button" className="plain" onClick={() => setAsked(true)}>
        {r.calibrate}
      </button>
    );
  }
  return (
    <Loaded answer={answer} skeleton={<Skeleton lines={1} />}>
      {(found) => <p className="note">{r.calibrated(share(found.achieved), share(found.low), share(found.high), share(found.promised))}</p>}
    </Loaded>
  );
}
