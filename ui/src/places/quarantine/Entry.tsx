import { useEffect, useRef, useState } from "react";
import { ApiError, get, path, post } from "../../api/client";
import type { QuarantineDetail, ReplayAnswer } from "../../api/types";
import { useQuery } from "../../data/query";
import { Facts } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded, Problem } from "../../parts/Feedback";
import { go, href } from "../../route/router";
import { t } from "../../texts/en";
import { tellReplay } from "./Quarantine";

const q = t.quarantine;

function close(): void {
  const { code = "", twin = "" } = Object.fromEntries(new URLSearchParams(window.location.search));
  go(href("quarantine", { code, twin }));
}

/** One entry: what was wrong where, its payload, and a way to mend it and send it again. */
export function Entry({ id, done }: { id: string; done: () => void }) {
  const answer = useQuery(`quarantined ${id}`, (signal) => get<QuarantineDetail>(path`/quarantine/${id}`, {}, signal));
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    panel.current?.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") close();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [id]);
  return (
    <aside className="drawer wide" role="dialog" aria-label={q.entry} tabIndex={-1} ref={panel}>
      <header>
        <h2>{q.entry}</h2>
        <button type="button" className="plain" aria-label={t.close} onClick={close}>
          ✕
        </button>
      </header>
      <Loaded answer={answer}>{(entry) => <EntryView key={entry.id} entry={entry} done={done} />}</Loaded>
    </aside>
  );
}

function EntryView({ entry, done }: { entry: QuarantineDetail; done: () => void }) {
  const original = entry.payload_text ?? "";
  const [text, setText] = useState(original);
  const [twin, setTwin] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const replay = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    const mapping = { ...(twin ? { twin } : {}), ...(text !== original ? { payload: text } : {}) };
    try {
      const result = await post<ReplayAnswer>("/quarantine/replay", {
        ids: [entry.id],
        ...(Object.keys(mapping).length ? { mapping } : {}),
      });
      tellReplay(result);
      done();
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <>
      <p className="problem-title">{entry.message}</p>
      <Facts
        items={[
          [q.code, <span key="c" className="code">{entry.code}</span>],
          [q.where, entry.where ? <span key="w" className="code">{entry.where}</span> : "–"],
          [q.received, <Time key="r" at={entry.received} precision="ms" zone />],
          [q.source, <span key="s" className="code">{entry.source}</span>],
          [q.twin, entry.twin || "–"],
        ]}
      />
      {entry.payload_text === null ? (
        <>
          <h3>{q.binary(entry.size)}</h3>
          <pre className="payload">{entry.payload_base64}</pre>
        </>
      ) : (
        <label className="field">
          <span>{q.payload}</span>
          <textarea className="payload" rows={12} spellCheck={false} value={text} onChange={(e) => setText(e.target.value)} />
        </label>
      )}
      <label className="field">
        <span>{q.otherTwin}</span>
        <input type="text" value={twin} placeholder={entry.twin} onChange={(e) => setTwin(e.target.value.trim())} />
      </label>
      {problem ? <Problem error={problem} /> : null}
      <footer className="row">
        <button type="button" className="primary" disabled={busy} onClick={() => void replay()}>
          {text === original && !twin ? q.replay : q.replayMended}
        </button>
        <span className="weak">{q.replayHint}</span>
      </footer>
    </>
  );
}
