import { useState } from "react";
import { ApiError, get, post } from "../api/client";
import type { SimulatorAnswer, SimulatorFault } from "../api/types";
import { useQuery } from "../data/query";
import { Since, useAsOf } from "../parts/Clock";
import { Link } from "../route/router";
import { t } from "../texts/en";
import { notify } from "./notify";

/** The simulator's faults, or null where no simulator runs (404) or the caller may not use it. */
async function askFaults(signal: AbortSignal): Promise<SimulatorAnswer | null> {
  try {
    return await get<SimulatorAnswer>("/simulator", {}, signal);
  } catch (error) {
    if (error instanceof ApiError && [401, 403, 404].includes(error.status)) return null;
    throw error;
  }
}

/** "Break it": the demo's tray of faults. It exists only where a simulator answers. */
export function Tray() {
  const asOf = useAsOf();
  const [open, setOpen] = useState(false);
  const answer = useQuery("simulator", askFaults, open ? 2000 : 15_000);
  const faults = answer.data?.faults;
  if (!faults || asOf !== null) return null;
  const active = faults.filter((f) => f.active).length;
  return (
    <div className="tray">
      {open ? (
        <section className="tray-panel" aria-label={t.tray.title}>
          <header>
            <h2>{t.tray.title}</h2>
            <button type="button" className="plain" aria-label={t.close} onClick={() => setOpen(false)}>
              ✕
            </button>
          </header>
          <p className="weak">{t.tray.lead}</p>
          <FaultList faults={faults} reload={answer.reload} />
        </section>
      ) : null}
      <button type="button" className={active ? "tray-button active" : "tray-button"} aria-expanded={open} onClick={() => setOpen(!open)}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M9 1L3 9h4l-1 6 7-9H8.5z" />
        </svg>
        {t.tray.button}
        {active ? <span className="tray-count num">{active}</span> : null}
      </button>
    </div>
  );
}

function FaultList({ faults, reload }: { faults: SimulatorFault[]; reload: () => void }) {
  const twins = [...new Set(faults.map((f) => f.twin))];
  if (twins.length === 0) return <p>{t.tray.none}</p>;
  return (
    <div className="tray-list">
      {twins.map((twin) => (
        <div key={twin}>
          <h3>
            <Link place={`machines/${twin}`}>{twin}</Link>
          </h3>
          <ul>
            {faults
              .filter((f) => f.twin === twin)
              .map((f) => (
                <FaultRow key={f.fault} fault={f} reload={reload} />
              ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

function FaultRow({ fault, reload }: { fault: SimulatorFault; reload: () => void }) {
  const [busy, setBusy] = useState(false);
  const toggle = async (): Promise<void> => {
    setBusy(true);
    try {
      await post("/simulator/faults", { twin: fault.twin, fault: fault.fault, active: !fault.active });
      reload();
    } catch (error) {
      notify(error instanceof ApiError ? `${error.fault.message} ${error.fault.hint}` : String(error), "error");
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className={fault.active ? "tray-fault active" : "tray-fault"}>
      <span>
        <strong>{fault.title || fault.fault}</strong>
        <span className="weak"> {fault.component}</span>
        {fault.active && fault.since ? (
          <span className="tray-since">
            {t.tray.broken} <Since at={fault.since} />
          </span>
        ) : null}
      </span>
      <button type="button" className={fault.active ? "primary" : "plain"} disabled={busy} onClick={() => void toggle()}>
        {fault.active ? t.tray.mend : t.tray.break}
      </button>
    </li>
  );
}
