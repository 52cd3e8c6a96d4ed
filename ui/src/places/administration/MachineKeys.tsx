import { useState } from "react";
import { get, path, post } from "../../api/client";
import type { MachineKey, MachineKeys as Keys } from "../../api/types";
import { useQuery } from "../../data/query";
import { useTwins } from "../../data/twins";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { t } from "../../texts/en";
import { AdminForm, Field } from "./forms";

const k = t.machineKeys;

/** Public keys with which gateways of machines sign what they send. */
export function MachineKeys() {
  const twins = useTwins();
  const machines = (twins.data ?? []).filter((one) => one.kind === "machine");
  const [chosen, setChosen] = useState("");
  const twin = chosen || (machines[0]?.id ?? "");
  const answer = useQuery(twin ? `machine keys ${twin}` : null, (signal) => get<Keys>(path`/twins/${twin}/keys`, {}, signal));
  return (
    <>
      <p className="weak">{k.lead}</p>
      <label className="field short">
        <span>{k.machine}</span>
        <select value={twin} onChange={(event) => setChosen(event.target.value)}>
          {machines.map((one) => (
            <option key={one.id} value={one.id}>
              {one.id}
            </option>
          ))}
        </select>
      </label>
      <div className="columns">
        <Card title={k.title(twin)}>
          <Loaded answer={answer}>
            {(found) => (
              <>
                <p role="status">{found.demanded ? `✓ ${k.demanded}` : `○ ${k.notDemanded}`}</p>
                {found.items.length ? <KeyTable twin={twin} items={found.items} reload={answer.reload} /> : <p className="weak">{k.none}</p>}
              </>
            )}
          </Loaded>
        </Card>
        {twin ? <Register key={twin} twin={twin} items={answer.data?.items ?? []} reload={answer.reload} /> : null}
      </div>
    </>
  );
}

function KeyTable({ twin, items, reload }: { twin: string; items: MachineKey[]; reload: () => void }) {
  const [revoking, setRevoking] = useState<MachineKey | null>(null);
  const columns: Column<MachineKey>[] = [
    { key: "name", title: k.name, cell: (one) => <span className="strong">{one.name}</span> },
    { key: "id", title: k.id, cell: (one) => <span className="code cut">{one.id}</span> },
    { key: "since", title: k.since, cell: (one) => <Time at={one.since} /> },
    {
      key: "state",
      title: t.administration.state,
      cell: (one) => (
        <>
          {one.revoked ? (
            <>
              ✕ {k.revoked} <Time at={one.revoked} /> {one.reason ? <q className="weak">{one.reason}</q> : null}
            </>
          ) : (
            `✓ ${k.counts}`
          )}
          {one.released ? (
            <div className="weak">
              {k.released} <Time at={one.released} />
            </div>
          ) : null}
        </>
      ),
    },
    {
      key: "revoke",
      title: t.administration.change,
      cell: (one) =>
        one.revoked ? null : (
          <button type="button" className="plain" onClick={() => setRevoking(one)}>
            {t.administration.revoke}
          </button>
        ),
    },
  ];
  return (
    <>
      <Grid label={k.title(twin)} rows={items} columns={columns} rowKey={(one) => one.id} />
      {revoking ? <Revoke key={revoking.id} twin={twin} one={revoking} done={() => (setRevoking(null), reload())} /> : null}
    </>
  );
}

function Revoke({ twin, one, done }: { twin: string; one: MachineKey; done: () => void }) {
  const [reason, setReason] = useState("");
  const [unsigned, setUnsigned] = useState(false);
  const revoke = async (): Promise<void> => {
    await post(path`/twins/${twin}/keys/${one.id}/revoke`, { reason, unsigned });
    done();
  };
  return (
    <AdminForm title={k.revoke(one.name)} label={t.administration.revoke} submit={revoke}>
      <Field label={k.reason} value={reason} onChange={setReason} required />
      <label>
        <input type="checkbox" checked={unsigned} onChange={(event) => setUnsigned(event.target.checked)} /> {k.unsigned}
      </label>
    </AdminForm>
  );
}

function Register({ twin, items, reload }: { twin: string; items: MachineKey[]; reload: () => void }) {
  const [name, setName] = useState("");
  const [publicKey, setPublicKey] = useState("");
  const [replaces, setReplaces] = useState("");
  const register = async (): Promise<void> => {
    await post(path`/twins/${twin}/keys`, { name, public_key: publicKey.trim(), replaces });
    setName("");
    setPublicKey("");
    setReplaces("");
    reload();
  };
  const present = items.filter((one) => !one.revoked);
  return (
    <AdminForm title={k.register} label={k.registerIt} submit={register}>
      <Field label={k.name} value={name} onChange={setName} required hint={k.nameHint} />
      <Field label={k.publicKey} value={publicKey} onChange={setPublicKey} required hint={k.publicKeyHint} />
      {present.length ? (
        <label className="field">
          <span>{k.replaces}</span>
          <select value={replaces} onChange={(event) => setReplaces(event.target.value)}>
            <option value="">{k.replacesNone}</option>
            {present.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <p className="weak">{k.warning}</p>
    </AdminForm>
  );
}
