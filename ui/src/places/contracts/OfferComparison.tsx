import { get, path } from "../../api/client";
import type { ContractDetail, ContractSummary, GuaranteePrice, Trial } from "../../api/types";
import { useContracts } from "../../data/contracts";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { money } from "./money";

const r = t.trial;
const ROWS = 8; // each is priced by a simulation

interface Offer {
  id: string;
  version: number;
  title: string;
}

/** Offers for the same machines side by side: the same past months and the same risk, by the terms of each. */
export function OfferComparison({ contract }: { contract: ContractDetail }) {
  const all = useContracts();
  const found = offersOf(contract, all.data?.items ?? []);
  const offers = found.slice(0, ROWS);
  if (offers.length < 2) return null;
  return (
    <Card title={r.compare}>
      <p className="weak">{r.compareLead}</p>
      <div className="scroll-x">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{r.offer}</th>
              {[r.fee, r.credit, r.bonus, r.paid, r.expected, r.premiumShort].map((name) => (
                <th scope="col" className="right" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {offers.map((one) => (
              <OfferRow key={`${one.id}@${one.version}`} offer={one} own={one.id === contract.id && one.version === contract.version} />
            ))}
          </tbody>
        </table>
      </div>
      {found.length > ROWS ? <p className="weak">{r.compareFirst(ROWS, found.length)}</p> : null}
    </Card>
  );
}

/** Every version of the contract, and other contracts that are about one of its machines. */
export function offersOf(contract: Pick<ContractDetail, "id" | "versions" | "title" | "machines">, all: Pick<ContractSummary, "id" | "version" | "title" | "machines">[]): Offer[] {
  const versions = contract.versions.map((version) => ({ id: contract.id, version, title: contract.title }));
  const others = all.filter((one) => one.id !== contract.id && one.machines.some((machine) => contract.machines.includes(machine)));
  return [...versions, ...others.map(({ id, version, title }) => ({ id, version, title }))];
}

function OfferRow({ offer, own }: { offer: Offer; own: boolean }) {
  const { version } = offer;
  const trial = useQuery(`trial ${offer.id} ${version}`, (signal) => get<Trial>(path`/contracts/${offer.id}/trial`, { version }, signal));
  const price = useQuery(`price ${offer.id} ${version}`, (signal) => get<GuaranteePrice>(path`/contracts/${offer.id}/price`, { version }, signal));
  const found = trial.data;
  const cells = [found?.fee, found?.credit, found?.bonus, found?.payable].map((amount) => (amount === undefined ? "" : money(amount)));
  const risk = [price.data?.expected_credit, price.data?.premium].map((amount) => (amount === undefined ? "" : `≈ ${money(amount)}`));
  const problem = trial.error ?? price.error;
  return (
    <tr className={own ? "sum" : undefined}>
      <th scope="row">
        <Link place={`contracts/${offer.id}/trial`}>{`${offer.id}@${version}`}</Link> <span className="weak">{offer.title}</span>
        {problem ? <p className="weak">{problem.message}</p> : null}
      </th>
      {[...cells, ...risk].map((text, place) => (
        <td className="right num" key={place}>
          {text || "…"}
        </td>
      ))}
    </tr>
  );
}
