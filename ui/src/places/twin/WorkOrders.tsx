import { type FormEvent, useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { WorkOrder, WorkOrders as Listed } from "../../api/types";
import { reloadAll, useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Time, useZone } from "../../parts/Clock";
import { Loaded, Problem } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { formatInstant, parseLocal, toRfc3339 } from "../../time/instant";

const w = t.workOrders;
const SHOWN = 5;
const OWN = ["provider", "customer", "third"] as const;

interface Choice {
  code: string;
  title: string;
  responsible: string;
  choices: Choice[];
}

/** Planned and unplanned work on a machine: what it was, whose matter it was, and what was changed of it. */
export function WorkOrders({ id }: { id: string }) {
  const answer = useQuery(`work-orders ${id}`, (signal) => get<Listed>(path`/twins/${id}/work-orders`, {}, signal), 30_000);
  const choices = useQuery(`reason-choices ${id}`, (signal) => get<Choice[]>(path`/twins/${id}/reasons/choices`, {}, signal));
  const [all, setAll] = useState(false);
  const [opening, setOpening] = useState(false);
  const may = answer.data?.may_write ?? false;
  return (
    <Card
      title={w.title}
      extra={
        may && !opening ? (
          <button type="button" className="plain" onClick={() => setOpening(true)}>
            {w.open}
          </button>
        ) : null
      }
    >
      {opening ? <OpenForm id={id} choices={choices.data ?? []} close={() => setOpening(false)} /> : null}
      <Loaded answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="weak">{w.none}</p>
          ) : (
            <>
              <ul className="orders">
                {items.slice(0, all ? items.length : SHOWN).map((order) => (
                  <Order key={order.id} order={order} choices={choices.data ?? []} may={may} />
                ))}
              </ul>
              {items.length > SHOWN && !all ? (
                <button type="button" className="plain" onClick={() => setAll(true)}>
                  {w.all(items.length)}
                </button>
              ) : null}
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

function Order({ order, choices, may }: { order: WorkOrder; choices: Choice[]; may: boolean }) {
  const [problem, setProblem] = useState<ApiError | null>(null);
  const step = async (action: "close" | "cancel"): Promise<void> => {
    setProblem(null);
    try {
      await post(path`/twins/${order.twin}/work-orders/${order.id}/steps`, { action, number: order.steps.length + 1 });
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  return (
    <li className="order">
      <p>
        <strong>{leaves(choices).find((c) => c.code === order.cause)?.title ?? order.cause}</strong> <span className={order.status === "open" ? "pill warning" : "pill quiet"}>{w.statuses[order.status]}</span> <span className="pill quiet">{w.kinds[order.kind]}</span>
      </p>
      <p className="num">
        <Time at={order.from} precision="minute" /> – {order.to ? <Time at={order.to} precision="minute" /> : w.now}
      </p>
      {order.text ? <p>{order.text}</p> : null}
      <p className="weak">
        {order.party ? `${w.whose}: ${whose(order.party)}` : w.nobody}
      </p>
      <details>
        <summary className="weak">{w.history(order.steps.length)}</summary>
        <ol className="order-steps weak">
          {order.steps.map((one) => (
            <li key={one.number}>
              <Time at={one.at} precision="minute" /> {w.step(w.actions[one.action], one.by, one.by_party)} <span className="num">{one.cause}</span>, <Time at={one.from} precision="minute" /> – {one.to ? <Time at={one.to} precision="minute" /> : w.now}
            </li>
          ))}
        </ol>
      </details>
      {order.claims.map((claim) => (
        <p key={claim.exclusion}>
          <Link place={`contracts/${claim.contract}/claims`}>{w.claim(claim.contract)}</Link> <span className="weak">{t.claims.statuses[claim.status as keyof typeof t.claims.statuses] ?? claim.status}</span>
        </p>
      ))}
      {may && order.status === "open" ? (
        <div className="row">
          <button type="button" className="primary" onClick={() => void step("close")}>
            {w.close}
          </button>
          <button type="button" className="plain" onClick={() => void step("cancel")}>
            {w.cancel}
          </button>
        </div>
      ) : null}
      {problem ? <Problem error={problem} /> : null}
    </li>
  );
}

function OpenForm({ id, choices, close }: { id: string; choices: Choice[]; close: () => void }) {
  const zone = useZone();
  const [kind, setKind] = useState<WorkOrder["kind"]>("unplanned");
  const [cause, setCause] = useState("");
  const [party, setParty] = useState("");
  const [text, setText] = useState("");
  const [from, setFrom] = useState(() => formatInstant(Date.now(), zone, "minute").replace(" ", "T"));
  const [to, setTo] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const instant = (local: string): string | null => (local === "" ? null : toRfc3339(parseLocal(local, zone)));
    try {
      await post(path`/twins/${id}/work-orders`, { kind, cause, party: party === "" ? null : party, text, from: instant(from), to: instant(to) });
      reloadAll();
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  return (
    <form className="command-form order-form" onSubmit={(event) => void submit(event)}>
      <label className="field">
        <span>{w.kind}</span>
        <select value={kind} onChange={(e) => setKind(e.target.value as WorkOrder["kind"])}>
          {(["unplanned", "planned"] as const).map((one) => (
            <option key={one} value={one}>
              {w.kinds[one]}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>{w.cause}</span>
        <select value={cause} required onChange={(e) => setCause(e.target.value)}>
          <option value="">{w.choose}</option>
          {choices.map((group) => (
            <optgroup key={group.code} label={group.title}>
              {leaves([group]).map((one) => (
                <option key={one.code} value={one.code}>
                  {one.title}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label className="field">
        <span>{w.whose}</span>
        <select value={party} onChange={(e) => setParty(e.target.value)}>
          <option value="">{w.byCause}</option>
          {OWN.map((one) => (
            <option key={one} value={one}>
              {w.parties[one]}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>{w.from}</span>
        <input type="datetime-local" required value={from} onChange={(e) => setFrom(e.target.value)} />
      </label>
      <label className="field">
        <span>{w.to}</span>
        <input type="datetime-local" value={to} onChange={(e) => setTo(e.target.value)} />
      </label>
      <label className="field">
        <span>{w.text}</span>
        <input type="text" value={text} maxLength={4000} onChange={(e) => setText(e.target.value)} />
      </label>
      <div className="row">
        <button type="submit" className="primary">
          {w.open}
        </button>
        <button type="button" className="plain" onClick={close}>
          {t.close}
        </button>
      </div>
      <p className="weak">{w.explain}</p>
      {problem ? <Problem error={problem} /> : null}
    </form>
  );
}

const whose = (party: string): string => w.parties[party as keyof typeof w.parties] ?? party;

function leaves(choices: readonly Choice[]): Choice[] {
  return choices.flatMap((one) => (one.choices.length ? leaves(one.choices) : [one]));
}
