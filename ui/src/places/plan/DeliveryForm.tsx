import { type FormEvent, useState } from "react";
import { ApiError } from "../../api/client";
import type { Delivery } from "../../api/types";
import { sayOfDelivery } from "../../data/deliveries";
import { useMoment, useZone } from "../../parts/Clock";
import { Problem } from "../../parts/Feedback";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { parseLocal, toRfc3339, zoneLabel } from "../../time/instant";

const d = t.plan.deliveries;

/** A word on one delivery: that it came, or that it is expected at another time or in another amount. */
export function DeliveryForm({ one, steps, close, said }: { one: Delivery; steps: ("expected" | "came")[]; close: () => void; said: () => void }) {
  const zone = useZone();
  const now = useMoment(60_000);
  const [step, setStep] = useState(steps[0] ?? "came");
  const [time, setTime] = useState("");
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const word = {
      said: step,
      ref: one.ref,
      house: one.house,
      thing: one.thing,
      time: time ? toRfc3339(parseLocal(time, zone)) : null,
      amount: amount ? Number(amount) : null,
      reason,
    };
    sayOfDelivery(word)
      .then(
        () => {
          notify(d.noted, "success");
          said();
        },
        (error: unknown) => {
          if (!(error instanceof ApiError)) throw error;
          setProblem(error);
        },
      )
      .finally(() => setBusy(false));
  };
  return (
    <form className="act-form delivery-form" aria-label={d.formOf(one.ref)} onSubmit={submit}>
      {steps.length > 1 ? (
        <label className="field">
          <span>{d.what}</span>
          <select value={step} onChange={(event) => setStep(event.target.value as "expected" | "came")}>
            {steps.map((name) => (
              <option key={name} value={name}>
                {d.saying[name]}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <p>{d.saying[step]}</p>
      )}
      <label className="field">
        <span>{`${step === "came" ? d.cameAt : d.expectedAt} (${zoneLabel(zone, now)})`}</span>
        <input type="datetime-local" value={time} onChange={(event) => setTime(event.target.value)} />
      </label>
      <label className="field">
        <span>{d.howMuch}</span>
        <input type="number" min={0} step={1} value={amount} placeholder={String(one.amount)} onChange={(event) => setAmount(event.target.value)} />
      </label>
      {step === "expected" ? (
        <label className="field">
          <span>{d.why}</span>
          <input type="text" required maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
        </label>
      ) : null}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {d.send}
        </button>
        <button type="button" className="plain" onClick={close}>
          {t.close}
        </button>
        <span className="weak">{d.formHint}</span>
      </div>
      {problem ? <Problem error={problem} /> : null}
    </form>
  );
}
