import { ApiError, get } from "../../api/client";
import type { Fork, Log, SignedHead, WatchedLog } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { t } from "../../texts/en";

const e = t.health.evidence;
const REFRESH_MS = 10_000;

/** The evidence log of this node and those of others that it watches; a fork is told with both signed heads. */
export function EvidenceLogs() {
  const own = useQuery("log", askOwn, REFRESH_MS);
  const watched = useQuery("log watched", (signal) => get<{ items: WatchedLog[] }>("/log/watched", {}, signal), REFRESH_MS);
  const forked = (own.data?.forks.length ?? 0) + (watched.data?.items ?? []).filter((one) => one.forks.length).length;
  if (!own.data && !watched.data?.items.length) return null;
  return (
    <Card title={e.title} className={forked ? "forked" : ""}>
      {own.data ? (
        <div className="log-kept">
          <p>
            <strong>{e.own}</strong> <span className="weak">{e.entries(own.data.head.head.size)}</span>
            {own.data.cosignatures.map((one) => (
              <span className="weak" key={one.cosignature.party}>
                {" "}
                · {e.cosigned(one.cosignature.party, one.head.head.size)} <Time at={one.cosignature.seen} precision="minute" />
              </span>
            ))}
          </p>
          {own.data.cosignatures.length ? null : <p className="weak hint">{e.notCosigned}</p>}
          {own.data.forks.map((fork) => (
            <ForkNotice key={fork.second.signature} fork={fork} title={e.ownForked} todo={e.ownTodo} />
          ))}
        </div>
      ) : null}
      {(watched.data?.items ?? []).map((one) => (
        <div className="log-kept" key={one.url}>
          <p>
            <strong>{e.of(one.url)}</strong>{" "}
            <span className="weak">
              {one.head && one.seen ? (
                <>
                  {e.seen(one.head.head.size)} <Time at={one.seen} precision="minute" />
                </>
              ) : (
                e.notSeen
              )}
            </span>
          </p>
          {one.forks.map((fork) => (
            <ForkNotice key={fork.second.signature} fork={fork} title={e.forked} todo={e.todo} />
          ))}
        </div>
      ))}
    </Card>
  );
}

async function askOwn(signal: AbortSignal): Promise<Log | null> {
  try {
    return await get<Log>("/log", {}, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null; // nobody operates this node yet
    throw error;
  }
}

function ForkNotice({ fork, title, todo }: { fork: Fork; title: string; todo: string }) {
  return (
    <section className="fork" role="alert" aria-label={title}>
      <h3>
        <span aria-hidden="true">▲</span> {title}
      </h3>
      <p>
        {e.noticed} <Time at={fork.noticed} zone />: {fork.why}
      </p>
      <div className="fork-heads">
        <Head title={e.first} head={fork.first} />
        <Head title={e.second} head={fork.second} />
      </div>
      <p>{todo}</p>
    </section>
  );
}

function Head({ title, head }: { title: string; head: SignedHead }) {
  const rows: [string, string][] = [
    [e.root, head.head.root],
    [e.key, head.key],
    [e.signature, head.signature],
  ];
  return (
    <div className="fork-head">
      <strong>{title}</strong>
      <p className="weak">
        {e.entries(head.head.size)}, <Time at={head.head.made} zone />
      </p>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt className="weak">{name}</dt>
            <dd className="code">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
