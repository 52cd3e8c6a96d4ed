import { IxContentHeader } from "@siemens/ix-react";
import { ApiError, get, post } from "../../api/client";
import type { QuarantineEntry, QuarantinePage, ReplayAnswer } from "../../api/types";
import { useQuery } from "../../data/query";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { go, href, Link, setParams, useParam, useRoute } from "../../route/router";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { Entry } from "./Entry";

const q = t.quarantine;
const SHOWN = 200;

/** What came in and could not be understood: nothing is lost, all of it can be sent again. */
export default function Quarantine() {
  const { parts } = useRoute();
  const [code, setCode] = useParam("code");
  const [twin] = useParam("twin");
  const [cursor] = useParam("cursor");
  const answer = useQuery(
    `quarantine ${code} ${twin} ${cursor}`,
    (signal) => get<QuarantinePage>("/quarantine", { code, twin, cursor, limit: SHOWN }, signal),
    10_000,
  );
  return (
    <>
      <IxContentHeader headerTitle={q.title} />
      <p className="weak lead-in">{q.lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={8} />}>
        {(page) => (
          <>
            <Counts counts={page.counts} code={code} choose={setCode} />
            {twin ? (
              <p className="note">
                {q.ofTwin} <Link place={`machines/${twin}`}>{twin}</Link>{" "}
                <button type="button" className="plain" onClick={() => setParams({ twin: "", cursor: "" })}>
                  {t.fleet.clear}
                </button>
              </p>
            ) : null}
            {code && page.items.length ? <ReplayAll code={code} twin={twin} done={answer.reload} count={page.counts[code] ?? page.items.length} /> : null}
            {page.items.length === 0 ? (
              <Empty title={q.none}>{q.noneHint}</Empty>
            ) : (
              <Grid label={q.title} rows={page.items} columns={COLUMNS} rowKey={(entry) => entry.id} onOpen={(entry) => go(entryAddress(entry))} tall />
            )}
            {page.next ? (
              <button type="button" className="plain" onClick={() => setParams({ cursor: page.next ?? "" }, false)}>
                {q.older}
              </button>
            ) : null}
          </>
        )}
      </Loaded>
      {parts[1] ? <Entry id={parts[1]} done={answer.reload} /> : null}
    </>
  );
}

const entryAddress = (entry: QuarantineEntry): string => {
  const { code = "", twin = "" } = Object.fromEntries(new URLSearchParams(window.location.search));
  return href(`quarantine/${entry.id}`, { code, twin });
};

const COLUMNS: Column<QuarantineEntry>[] = [
  {
    key: "received",
    title: q.received,
    cell: (entry) => (
      <Link place={`quarantine/${entry.id}`}>
        <Time at={entry.received} />
      </Link>
    ),
  },
  { key: "code", title: q.code, cell: (entry) => <span className="code">{entry.code}</span> },
  { key: "message", title: q.message, cell: (entry) => <span className="cut">{entry.message}</span> },
  { key: "twin", title: q.twin, cell: (entry) => (entry.twin ? entry.twin : <span className="weak">–</span>) },
  { key: "source", title: q.source, cell: (entry) => <span className="code cut">{entry.source}</span> },
  { key: "size", title: q.size, align: "right", cell: (entry) => <span className="num">{formatNumber(entry.size, 0)} B</span> },
];

function Counts({ counts, code, choose }: { counts: Record<string, number>; code: string; choose: (code: string) => void }) {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return null;
  return (
    <div className="count-chips" role="group" aria-label={q.code}>
      {entries.map(([name, count]) => (
        <button key={name} type="button" aria-pressed={name === code} onClick={() => choose(name === code ? "" : name)}>
          <span className="num state-count">{formatNumber(count, 0)}</span> <span>{q.codes[name as keyof typeof q.codes] ?? name}</span>
          <span className="weak code">{name}</span>
        </button>
      ))}
    </div>
  );
}

function ReplayAll({ code, twin, count, done }: { code: string; twin: string; count: number; done: () => void }) {
  const replay = async (): Promise<void> => {
    try {
      tellReplay(await post<ReplayAnswer>("/quarantine/replay", { code, ...(twin ? { twin } : {}) }));
      done();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notify(`${error.fault.message} ${error.fault.hint}`, "error");
    }
  };
  return (
    <p className="row">
      <button type="button" className="primary" onClick={() => void replay()}>
        {q.replayAll(count)}
      </button>
      <span className="weak">{q.replayHint}</span>
    </p>
  );
}

export function tellReplay(answer: ReplayAnswer): void {
  notify(q.replayed(answer.replayed, answer.repeated, answer.failed.length), answer.failed.length ? "warning" : "success");
}
