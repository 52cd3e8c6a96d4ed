import { type FormEvent, useState } from "react";
import { ApiError } from "../../../api/client";
import type { TwinDetail } from "../../../api/types";
import { sayNormal } from "../../../data/anomalies";
import { reloadAll } from "../../../data/query";
import { useAsOf } from "../../../parts/Clock";
import { Problem } from "../../../parts/Feedback";
import { notify } from "../../../shell/notify";
import { t } from "../../../texts/en";
import { NormalSince, useNormalSince } from "../../cases/NormalSince";

const a = t.anomalies;

/** For people who changed the machine: it is learnt anew from then on. `first`: begin of what differs now. */
export function SayNormal({ twin, first }: { twin: TwinDetail; first: string | null }) {
  const [open, setOpen] = useState(false);
  if (useAsOf() !== null || !twin.permitted.includes("treat")) return null;
  if (!open) {
    return (
      <p>
        <button type="button" className="plain" onClick={() => setOpen(true)}>
          {a.sayNormal}
        </button>
      </p>
    );
  }
  return <Form twin={twin} first={first} close={() => setOpen(false)} />;
}

function Form({ twin, first, close }: { twin: TwinDetail; first: string | null; close: () => void }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const since = useNormalSince(first);
  const submit = async (): Promise<void> => {
    const at = since.read();
    if (at === undefined) return;
    setBusy(true);
    try {
      await sayNormal(twin.id, { since: at, text });
      notify(a.said, "success");
      reloadAll();
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="act-form"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void submit();
      }}
    >
      <p className="weak">{a.sayNormalHint}</p>
      <label className="field">
        <span>{a.why}</span>
        <input type="text" required value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <NormalSince state={since} />
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {a.learnAnew}
        </button>
        <button type="button" className="plain" onClick={close}>
          {t.caseActs.cancel}
        </button>
      </div>
      {problem ? <Problem error={problem} /> : null}
    </form>
  );
}
