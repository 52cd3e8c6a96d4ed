import { useState } from "react";
import { ApiError, get, path, post, remove } from "../../api/client";
import type { Page, TokenCreated, TokenShape } from "../../api/types";
import { useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Time } from "../../parts/Clock";
import { Loaded } from "../../parts/Feedback";
import { type Column, Grid } from "../../parts/Grid";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { AdminForm, Field, RoleChoice, Secret } from "./forms";

const a = t.administration;

/** Tokens of programs. */
export function Tokens() {
  const answer = useQuery("tokens", (signal) => get<Page<TokenShape>>("/tokens", {}, signal));
  const [label, setLabel] = useState("");
  const [roles, setRoles] = useState<string[]>(["viewer"]);
  const [made, setMade] = useState<TokenCreated | null>(null);
  const create = async (): Promise<void> => {
    setMade(await post<TokenCreated>("/tokens", { label, roles }));
    setLabel("");
    answer.reload();
  };
  const revoke = async (token: TokenShape): Promise<void> => {
    try {
      await remove(path`/tokens/${token.id}`);
      notify(a.revokedNow(token.label), "success");
    } catch (error) {
      notify(error instanceof ApiError ? error.fault.message : String(error), "error");
    }
    answer.reload();
  };
  const columns: Column<TokenShape>[] = [
    { key: "label", title: a.label, cell: (one) => <span className="strong">{one.label}</span> },
    { key: "party", title: a.party, cell: (one) => one.party },
    { key: "roles", title: a.roles, cell: (one) => one.roles.join(", ").replace(/_/g, " ") },
    { key: "created", title: a.created, cell: (one) => <Time at={one.created} precision="minute" /> },
    { key: "expires", title: a.expires, cell: (one) => (one.expires ? <Time at={one.expires} precision="minute" /> : a.never) },
    {
      key: "revoke",
      title: a.state,
      cell: (one) =>
        one.revoked ? (
          <span className="weak">
            {a.revoked} <Time at={one.revoked} precision="minute" />
          </span>
        ) : (
          <button type="button" className="plain" onClick={() => void revoke(one)}>
            {a.revoke}
          </button>
        ),
    },
  ];
  return (
    <div className="columns">
      <Card title={a.tabs.tokens}>
        {made ? <Secret title={a.tokenMade(made.label)} text={made.token} forget={() => setMade(null)} /> : null}
        <Loaded answer={answer}>
          {(page) => (page.items.length ? <Grid label={a.tabs.tokens} rows={page.items} columns={columns} rowKey={(one) => one.id} /> : <p className="weak">{a.noTokens}</p>)}
        </Loaded>
      </Card>
      <AdminForm title={a.newToken} label={a.create} submit={create}>
        <Field label={a.label} value={label} onChange={setLabel} required hint={a.labelHint} />
        <RoleChoice chosen={roles} onChange={setRoles} />
      </AdminForm>
    </div>
  );
}
