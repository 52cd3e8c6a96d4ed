import { createContext, type ReactNode, useContext, useId } from "react";
import type { FaultShape } from "../../api/types";
import { Card } from "../../parts/Card";
import { t } from "../../texts/en";
import { type Field, faultsOf, type Named, type OfferFile, read, textOf, write } from "./offerFile";

const o = t.offer;
const KINDS = ["force_majeure", "access_refused", "customer_operation", "material", "energy", "planned_work", "provider_failure"] as const;
const FORMULAS = ["guarantee@1", "iso22400@1", "en15341-m10@1", "en15341-m12@1", "en15341-pha8@1", "vdi3423@1"];

export interface Machine {
  id: string;
  title: string;
  owner: string | null;
}

interface FormState {
  file: OfferFile;
  set: (next: OfferFile) => void;
  faults: readonly FaultShape[];
}

const Form = createContext<FormState | null>(null);

function useForm(): FormState {
  const form = useContext(Form);
  if (!form) throw new Error("fields of an offer stand in its form");
  return form;
}

/** The terms of an offer as fields; what is wrong with the file stands beside the field that it concerns. */
export function OfferForm({ file, set, faults, machines, customers }: FormState & { machines: readonly Machine[]; customers: readonly string[] }) {
  return (
    <Form value={{ file, set, faults }}>
      <Card title={o.who}>
        <div className="offer-fields">
          <Text field="title" label={o.titleField} wide />
          <Text field="contract" label={o.id} />
          <Choice field="customer" label={o.customer} options={withCurrent(customers, textOf(file, "customer"))} />
          <Machines machines={machines} />
          <Text field="period.from" label={o.from} type="date" />
          <Text field="period.to" label={o.to} type="date" />
          <Text field="period.time_zone" label={o.zone} />
          <Choice field="acceptance" label={o.acceptance} options={["given", "required"]} titles={o.acceptances} />
        </div>
      </Card>
      <Card title={o.promise}>
        <div className="offer-fields">
          <Text field="guarantee.level" label={o.level} figure />
          <Choice field="guarantee.formula" label={t.terms.formula} options={withCurrent(FORMULAS, textOf(file, "guarantee.formula"))} />
          <Choice field="guarantee.basis" label={o.basis} options={["calendar", "planned"]} titles={o.bases} />
          <Choice field="guarantee.settle" label={o.settle} options={["month", "quarter", "year", "contract"]} titles={o.cadences} />
          <Choice field="guarantee.burden_of_proof" label={t.terms.burden} options={["provider", "customer"]} titles={o.sides} />
          <Choice field="guarantee.gaps.rule" label={t.terms.gaps} options={["pro_rata", "unavailable", "available"]} titles={o.gapRules} />
          <Text field="warranty.months" label={o.warranty} figure optional="warranty" placeholder={o.none} />
          <Grounds />
        </div>
      </Card>
      <Card title={o.money}>
        <div className="offer-fields">
          <Text field="price.fee" label={o.fee} figure />
          <Choice field="price.per" label={o.per} options={["year", "quarter", "month", "contract"]} titles={o.cadences} />
          <Text field="currency" label={o.currency} />
          <Choice field="guarantee.malus" label={t.terms.malus} options={["price_reduction", "damages"]} titles={t.terms.maluses} />
          <Bands />
          <Bonus />
        </div>
      </Card>
    </Form>
  );
}

const withCurrent = (options: readonly string[], current: string): string[] => (current && !options.includes(current) ? [...options, current] : [...options]);

function Labelled({ field, label, wide = false, children }: { field: Field; label: string; wide?: boolean; children: (id: string, described: string | undefined) => ReactNode }) {
  const id = useId();
  const { faults } = useForm();
  const own = faultsOf(faults, field);
  return (
    <div className={wide ? "field wide" : "field"}>
      <label htmlFor={id}>{label}</label>
      {children(id, own.length ? `${id}-fault` : undefined)}
      <FaultLines id={`${id}-fault`} faults={own} />
    </div>
  );
}

function FaultLines({ id, faults }: { id: string; faults: readonly FaultShape[] }) {
  if (!faults.length) return null;
  return (
    <div id={id} role="alert">
      {faults.map((fault) => (
        <p className="field-problem" key={`${fault.code} ${fault.where}`}>
          ▲ {fault.message}. {fault.hint}
        </p>
      ))}
    </div>
  );
}

function Text({ field, label, figure = false, type = "text", wide = false, optional, placeholder }: { field: Field; label: string; figure?: boolean; type?: "text" | "date"; wide?: boolean; optional?: string; placeholder?: string }) {
  const { file, set } = useForm();
  const change = (value: string): void => set(value === "" && optional !== undefined ? write(file, optional, undefined) : write(file, field, value));
  return (
    <Labelled field={field} label={label} wide={wide}>
      {(id, described) => (
        <input
          id={id}
          type={type}
          inputMode={figure ? "decimal" : undefined}
          autoComplete="off"
          placeholder={placeholder}
          value={textOf(file, field)}
          aria-invalid={described !== undefined}
          aria-describedby={described}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Labelled>
  );
}

function Choice({ field, label, options, titles = {} }: { field: Field; label: string; options: readonly string[]; titles?: Readonly<Record<string, string>> }) {
  const { file, set } = useForm();
  return (
    <Labelled field={field} label={label}>
      {(id, described) => (
        <select id={id} value={textOf(file, field)} aria-invalid={described !== undefined} aria-describedby={described} onChange={(event) => set(write(file, field, event.target.value))}>
          {options.map((one) => (
            <option key={one} value={one}>
              {titles[one] ?? one}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** What an offer for these machines is called as long as nobody calls it otherwise. */
export function nameOf(chosen: readonly string[], machines: readonly Machine[]): Named {
  const titles = chosen.map((id) => machines.find((one) => one.id === id)?.title ?? id);
  return { contract: `offer-${chosen[0] ?? ""}`.slice(0, 63), title: o.titleOf(titles.join(", ")) };
}

function Machines({ machines }: { machines: readonly Machine[] }) {
  const { file, set, faults } = useForm();
  const id = useId();
  const chosen = (read(file, "machines") as string[] | undefined) ?? [];
  const choose = (next: string[]): void => {
    const [before, after] = [nameOf(chosen, machines), nameOf(next, machines)];
    const named = (["contract", "title"] as const).reduce((form, key) => (textOf(form, key) === before[key] ? write(form, key, after[key]) : form), file);
    set(write(named, "machines", next));
  };
  const gone = chosen.filter((one) => !machines.some((machine) => machine.id === one)).map((one) => ({ id: one, title: one, owner: null }));
  return (
    <fieldset className="choices wide">
      <legend>{o.machines}</legend>
      {[...machines, ...gone].map((machine) => (
        <label key={machine.id}>
          <input
            type="checkbox"
            checked={chosen.includes(machine.id)}
            onChange={(event) => choose(event.target.checked ? [...chosen, machine.id] : chosen.filter((one) => one !== machine.id))}
          />
          {machine.title} <span className="weak">{machine.owner ?? ""}</span>
        </label>
      ))}
      <FaultLines id={`${id}-fault`} faults={faultsOf(faults, "machines")} />
    </fieldset>
  );
}

interface Ground {
  kind: string;
  budget_hours?: string;
}

function Grounds() {
  const { file, set, faults } = useForm();
  const id = useId();
  const chosen = (read(file, "guarantee.exclusions") as unknown as Ground[] | undefined) ?? [];
  const change = (next: Ground[]): void => set(write(file, "guarantee.exclusions", next as never));
  return (
    <fieldset className="choices wide">
      <legend>{t.terms.exclusions}</legend>
      {KINDS.map((kind) => {
        const place = chosen.findIndex((one) => one.kind === kind);
        return (
          <div key={kind} className="row ground">
            <label>
              <input type="checkbox" checked={place >= 0} onChange={(event) => change(event.target.checked ? [...chosen, { kind }] : chosen.filter((one) => one.kind !== kind))} />
              {t.claims.kinds[kind]} {place >= 0 ? <span className="weak num">{place + 1}</span> : null}
            </label>
            {place >= 0 ? (
              <label className="field inline">
                <span>{o.budget}</span>
                <input
                  type="text"
                  inputMode="decimal"
                  aria-label={o.budgetOf(t.claims.kinds[kind])}
                  value={chosen[place]?.budget_hours ?? ""}
                  onChange={(event) => change(chosen.map((one) => (one.kind === kind ? { ...one, budget_hours: event.target.value } : one)))}
                />
              </label>
            ) : null}
          </div>
        );
      })}
      <FaultLines id={`${id}-fault`} faults={faultsOf(faults, "guarantee.exclusions")} />
    </fieldset>
  );
}

const STEPS = { step: "0.1", percent: "0.5" };

interface Rung {
  below: string;
  percent: string;
}

function Bands() {
  const { file, set } = useForm();
  const form = textOf(file, "guarantee.credit.form");
  const choose = (next: string): void => {
    const cap = textOf(file, "guarantee.credit.cap") || "10";
    const band: OfferFile = next === "table" ? { rungs: [{ below: textOf(file, "guarantee.level"), percent: "2" }] } : { ...STEPS };
    set(write(file, "guarantee.credit", { form: next, ...band, cap }));
  };
  return (
    <>
      <Labelled field="guarantee.credit.form" label={o.form}>
        {(id) => (
          <select id={id} value={form} onChange={(event) => choose(event.target.value)}>
            {withCurrent(["stepped", "linear", "table"], form).map((one) => (
              <option key={one} value={one}>
                {o.forms[one as keyof typeof o.forms]}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      {form === "table" ? <Rungs /> : null}
      {form === "stepped" || form === "linear" ? (
        <>
          <Text field="guarantee.credit.step" label={o.step} figure />
          <Text field="guarantee.credit.percent" label={o.percent} figure />
        </>
      ) : null}
      <Text field="guarantee.credit.cap" label={o.cap} figure />
    </>
  );
}

function Rungs() {
  const { file, set, faults } = useForm();
  const id = useId();
  const rungs = (read(file, "guarantee.credit.rungs") as unknown as Rung[] | undefined) ?? [];
  const change = (next: Rung[]): void => set(write(file, "guarantee.credit.rungs", next as never));
  const put = (place: number, more: Partial<Rung>): void => change(rungs.map((one, n) => (n === place ? { ...one, ...more } : one)));
  return (
    <fieldset className="wide rungs">
      <legend>{o.rungs}</legend>
      {rungs.map((rung, place) => (
        <div className="row" key={place}>
          <label className="field inline">
            <span>{o.below}</span>
            <input type="text" inputMode="decimal" value={rung.below} onChange={(event) => put(place, { below: event.target.value })} />
          </label>
          <label className="field inline">
            <span>{o.rungPercent}</span>
            <input type="text" inputMode="decimal" value={rung.percent} onChange={(event) => put(place, { percent: event.target.value })} />
          </label>
          <button type="button" className="plain" aria-label={o.removeRung(place + 1)} disabled={rungs.length === 1} onClick={() => change(rungs.filter((_, n) => n !== place))}>
            ✕
          </button>
        </div>
      ))}
      <button type="button" className="plain" onClick={() => change([...rungs, { below: "", percent: "" }])}>
        {o.addRung}
      </button>
      <FaultLines id={`${id}-fault`} faults={faultsOf(faults, "guarantee.credit.rungs")} />
    </fieldset>
  );
}

function Bonus() {
  const { file, set } = useForm();
  const given = read(file, "guarantee.bonus") !== undefined;
  return (
    <>
      <label className="check wide">
        <input
          type="checkbox"
          checked={given}
          onChange={(event) => set(write(file, "guarantee.bonus", event.target.checked ? { form: "stepped", step: "0.5", percent: "0.5", cap: "1" } : undefined))}
        />
        {o.bonus}
      </label>
      {given ? (
        <>
          <Text field="guarantee.bonus.step" label={o.bonusStep} figure />
          <Text field="guarantee.bonus.percent" label={o.percent} figure />
          <Text field="guarantee.bonus.cap" label={o.bonusCap} figure />
        </>
      ) : null}
    </>
  );
}
