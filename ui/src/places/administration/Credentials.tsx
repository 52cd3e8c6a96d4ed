import { useState } from "react";
import { get, post } from "../../api/client";
import type { CredentialCreated, CredentialShape, Page } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Loaded } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { t } from "../../texts/en";
import { AdminForm, Field, Secret } from "./forms";

const a = t.administration;

/** MQTT credentials of machines: each may publish for its own twins only. */
export function Credentials() {
  const answer = useQuery("credentials", (signal) => get<Page<CredentialShape>>("/machine-credentials", {}, signal));
  const [user, setUser] = useState("");
  const [twins, setTwins] = useState("");
  const [made, setMade] = useState<CredentialCreated | null>(null);
  const create = async (): Promise<void> => {
    const list = twins.split(/[\s,]+/).filter(Boolean);
    setMade(await post<CredentialCreated>("/machine-credentials", { user, twins: list.length ? list : [user] }));
    setUser("");
    setTwins("");
    answer.reload();
  };
  const columns: Column<CredentialShape>[] = [
    { key: "user", title: a.user, cell: (one) => <span className="strong">{one.user}</span> },
    { key: "twins", title: a.twins, cell: (one) => <span className="cut">{one.twins.join(", ")}</span> },
    {
      key: "rotate",
      title: a.change,
      cell: (one) => (
        <button
          type="button"
          className="plain"
          onClick={() => {
            setUser(one.user);
            setTwins(one.twins.join(", "));
          }}
        >
          {a.rotate}
        </button>
      ),
    },
  ];
  return (
    <div className="columns">
      <Card title={a.tabs.machines}>
        {made ? <Secret title={a.credentialMade(made.user)} text={made.password} forget={() => setMade(null)} /> : null}
        <Loaded answer={answer}>
          {(page) => (page.items.length ? <Grid label={a.tabs.machines} rows={page.items} columns={columns} rowKey={(one) => one.user} /> : <p className="weak">{a.noCredentials}</p>)}
        </Loaded>
      </Card>
      <AdminForm title={a.newCredential} label={a.create} submit={create}>
        <Field label={a.user} value={user} onChange={setUser} required />
        <Field label={a.twins} value={twins} onChange={setTwins} hint={a.twinsHint} />
      </AdminForm>
    </div>
  );
}
