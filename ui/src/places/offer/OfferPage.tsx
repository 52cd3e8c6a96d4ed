import { useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { ContractDetail, FaultShape } from "../../api/types";
import { reloadAll, useQuery } from "../../data/query";
import { useTwins } from "../../data/twins";
import { Card } from "../../parts/Card";
import { useMoment, useZone } from "../../parts/Clock";
import { Loaded, Problem, Skeleton } from "../../parts/Feedback";
import { download } from "../../parts/Grid";
import { go, href, Link, useParam } from "../../route/router";
import { useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatInstant } from "../../time/instant";
import { type Costs, Evaluation, useEvaluation } from "./Evaluation";
import { fileOf, followingTerm, formOf, newOffer, type OfferFile, otherFaults, textOf, write } from "./offerFile";
import { type Machine, nameOf, OfferForm } from "./OfferForm";

const o = t.offer;
const SINGLE = ["machine", "robot"];

/** An offer made on the page: terms chosen, priced and tried at once, two variants compared, saved or sent. */
export default function OfferPage() {
  const { party } = useAccount();
  const zone = useZone();
  const today = formatInstant(useMoment(3_600_000), zone, "day");
  const [from] = useParam("from");
  const [machine] = useParam("machine");
  const [following] = useParam("following");
  const twins = useTwins();
  const known = useQuery(from ? `offer-from ${from} ${following}` : null, (signal) => loaded(from, following !== "", signal));
  // Machines before robots: what is offered first is what most offers are for.
  const single = (twins.data ?? []).filter((one) => SINGLE.includes(one.kind));
  const machines = [...single.filter((one) => one.kind === "machine"), ...single.filter((one) => one.kind !== "machine")].map(({ id, title, owner }): Machine => ({ id, title, owner }));
  return (
    <>
      <p className="crumbs">
        <Link place="contracts">{t.contracts.title}</Link>
      </p>
      <h1>{from ? (following ? o.follow(from) : o.change(from)) : o.title}</h1>
      <p className="weak">{o.lead}</p>
      {from ? (
        <Loaded answer={known} skeleton={<Skeleton lines={12} />}>
          {(file) => <Configure key={from} first={file} machines={machines} party={party} />}
        </Loaded>
      ) : (
        <Loaded answer={twins} skeleton={<Skeleton lines={12} />}>
          {() => {
            const chosen = machines.find((one) => one.id === machine) ?? machines.find((one) => one.owner !== party) ?? machines[0];
            const named = nameOf(chosen ? [chosen.id] : [], machines);
            return <Configure first={newOffer(party, chosen?.owner ?? "", chosen ? [chosen.id] : [], named, zone, today)} machines={machines} party={party} />;
          }}
        </Loaded>
      )}
    </>
  );
}

/** The terms of a contract that is there, as its next version; `following`: for as long again, from its end on. */
async function loaded(id: string, following: boolean, signal: AbortSignal): Promise<OfferFile> {
  const detail = await get<ContractDetail>(path`/contracts/${id}`, {}, signal);
  const version = detail.versions.at(-1) ?? detail.version;
  const file = await get<OfferFile>(path`/contracts/${id}/file`, { form: "json", version }, signal);
  const form = write(formOf(file) as OfferFile, "version", String(version + 1));
  return following ? followingTerm(form) : form;
}

const NO_COSTS: Costs = { cost_per_hour: "", cost_low: "", cost_high: "", visits: "", cost_per_visit: "" };

function Configure({ first, machines, party }: { first: OfferFile; machines: readonly Machine[]; party: string }) {
  const [variants, setVariants] = useState<readonly OfferFile[]>([first]);
  const [current, setCurrent] = useState(0);
  const [costs, setCosts] = useState(NO_COSTS);
  const one = useEvaluation(variants[0] ?? null, costs, "A");
  const two = useEvaluation(variants[1] ?? null, costs, "B");
  const answers = [one, two].slice(0, variants.length);
  const form = variants[current] ?? first;
  const problem = answers[current]?.error;
  const faults = problem?.faults ?? [];
  const set = (next: OfferFile): void => setVariants(variants.map((variant, place) => (place === current ? next : variant)));
  const compare = (): void => {
    setVariants([variants[0] ?? first, write(variants[0] ?? first, "contract", `${textOf(variants[0] ?? first, "contract")}-b`.slice(0, 63))]);
    setCurrent(1);
  };
  const leave = (): void => {
    setVariants(variants.filter((_, place) => place !== current));
    setCurrent(0);
  };
  const customers = [...new Set(machines.map((machine) => machine.owner ?? "").filter((owner) => owner && owner !== party))].sort();
  return (
    <>
      <div className="toolbar">
        {variants.length > 1 ? (
          <>
            <div className="segmented" role="group" aria-label={o.variants}>
              {variants.map((_, place) => (
                <button key={place} type="button" aria-pressed={current === place} onClick={() => setCurrent(place)}>
                  {o.variant(place)}
                </button>
              ))}
            </div>
            <button type="button" className="plain" onClick={leave}>
              {o.drop(o.variant(current))}
            </button>
          </>
        ) : (
          <button type="button" className="plain" onClick={compare}>
            {o.compare}
          </button>
        )}
      </div>
      <div className="columns offer">
        <div className="column">
          <OfferForm file={form} set={set} faults={faults} machines={machines} customers={customers} />
        </div>
        <div className="column offer-side">
          {problem ? <Others problem={problem} faults={otherFaults(faults)} /> : null}
          <Evaluation columns={answers.map((answer, place) => ({ name: o.variant(place), answer }))} />
          <CostsCard costs={costs} set={setCosts} />
          <Keep form={form} faulty={problem !== undefined} />
        </div>
      </div>
    </>
  );
}

/** What is wrong with the offer and belongs to no field; that there is something wrong at all is said in any case. */
function Others({ problem, faults }: { problem: ApiError; faults: readonly FaultShape[] }) {
  if (problem.status !== 400) return <Problem error={problem} />;
  return (
    <Card title={o.faulty} className="offer-faults">
      <p>{o.faultyLead(problem.faults.length)}</p>
      {faults.map((fault) => (
        <p className="field-problem" key={`${fault.code} ${fault.where} ${fault.message}`}>
          ▲ {fault.message}. {fault.hint}
        </p>
      ))}
    </Card>
  );
}

function CostsCard({ costs, set }: { costs: Costs; set: (next: Costs) => void }) {
  return (
    <Card title={o.customerSays}>
      <p className="weak">{o.costsLead}</p>
      <div className="offer-fields">
        {(Object.keys(NO_COSTS) as (keyof Costs)[]).map((name) => (
          <label className="field" key={name}>
            <span>{o.costs[name]}</span>
            <input type="text" inputMode="decimal" placeholder={name === "cost_low" || name === "cost_high" ? o.same : ""} value={costs[name]} onChange={(event) => set({ ...costs, [name]: event.target.value })} />
          </label>
        ))}
      </div>
    </Card>
  );
}

/** Keep the offer: as a draft, as a file, or signed by the own party and so with the customer. */
function Keep({ form, faulty }: { form: OfferFile; faulty: boolean }) {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const file = fileOf(form);
  const id = textOf(form, "contract");
  const version = Number(textOf(form, "version"));
  const keep = async (send: boolean): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await post<ContractDetail>(`/contracts?name=${encodeURIComponent(`${id}.json`)}`, file);
      if (send) await post<ContractDetail>(path`/contracts/${id}/signatures`, { version });
      notify(send ? o.sent(textOf(form, "customer")) : o.kept, "success");
      reloadAll();
      go(href(`contracts/${id}/${send ? "terms" : "trial"}`));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={o.keep}>
      {asking ? (
        <div className="stack">
          <p>{o.sendHint(textOf(form, "customer"))}</p>
          <div className="row">
            <button type="button" className="primary" disabled={busy || faulty} onClick={() => void keep(true)}>
              {o.signAndSend}
            </button>
            <button type="button" className="plain" onClick={() => setAsking(false)}>
              {o.notYet}
            </button>
          </div>
        </div>
      ) : (
        <div className="row wrap">
          <button type="button" className="primary" disabled={busy || faulty} onClick={() => void keep(false)}>
            {o.draft}
          </button>
          <button type="button" className="plain" disabled={busy || faulty} onClick={() => setAsking(true)}>
            {o.send}
          </button>
          <button type="button" className="plain" onClick={() => download(`${id}-${version}.json`, "application/json", `${JSON.stringify(file, null, 2)}\n`)}>
            {o.download}
          </button>
        </div>
      )}
      <p className="weak">{o.keepHint}</p>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
