import { useState } from "react";
import { get, post } from "../../api/client";
import type { AccountEntry, Page, PartyShape } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Loaded } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { AdminForm, Field, RoleChoice } from "./forms";

const a = t.administration;

/** People's accounts. */
export function Accounts() {
  const me = useAccount();
  const answer = useQuery("accounts", (signal) => get<Page<AccountEntry>>("/accounts", {}, signal));
  const parties = useQuery("parties", (signal) => get<Page<PartyShape>>("/parties", {}, signal));
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [party, setParty] = useState(me.party);
  const [password, setPassword] = useState("");
  const [roles, setRoles] = useState<string[]>(["viewer"]);
  const create = async (): Promise<void> => {
    await post("/accounts", { id, name, party, roles, password: password || null });
    notify(a.accountSaved(id), "success");
    setId("");
    setName("");
    setPassword("");
    answer.reload();
  };
  const edit = (one: AccountEntry): void => {
    setId(one.id);
    setName(one.name);
    setParty(one.party);
    setRoles(one.roles);
  };
  const columns: Column<AccountEntry>[] = [
    { key: "id", title: a.account, cell: (one) => <span className="strong">{one.id}</span> },
    { key: "name", title: a.name, cell: (one) => one.name },
    { key: "party", title: a.party, cell: (one) => one.party },
    { key: "roles", title: a.roles, cell: (one) => one.roles.join(", ").replace(/_/g, " ") },
    { key: "state", title: a.state, cell: (one) => (one.disabled ? <span className="pill quiet">{a.disabled}</span> : a.active) },
    {
      key: "edit",
      title: a.change,
      cell: (one) => (
        <button type="button" className="plain" aria-label={`${a.edit} ${one.id}`} onClick={() => edit(one)}>
          {a.edit}
        </button>
      ),
    },
  ];
  return (
    <div className="columns">
      <Card title={a.tabs.accounts}>
        <Loaded answer={answer}>{(page) => <Grid label={a.tabs.accounts} rows={page.items} columns={columns} rowKey={(one) => one.id} />}</Loaded>
      </Card>
      <AdminForm title={a.newAccount} label={a.save} submit={create}>
        <Field label={a.account} value={id} onChange={setId} required hint={a.accountHint} />
        <Field label={a.name} value={name} onChange={setName} required />
        <label className="field">
          <span>{a.party}</span>
          <select value={party} onChange={(e) => setParty(e.target.value)}>
            {[...new Set([party, ...(parties.data?.items.map((p) => p.id) ?? [])])].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <Field label={a.password} type="password" value={password} onChange={setPassword} hint={a.passwordHint} />
        <RoleChoice chosen={roles} onChange={setRoles} />
      </AdminForm>
    </div>
  );
}
