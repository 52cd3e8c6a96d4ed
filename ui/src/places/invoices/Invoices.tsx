import { type FormEvent, useState } from "react";
import { ApiError, get, post } from "../../api/client";
import type { ContractSummary, ServiceResult } from "../../api/types";
import { useContracts, useInvoices } from "../../data/contracts";
import { reloadAll, useQuery } from "../../data/query";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Problem } from "../../parts/Feedback";
import { Link } from "../../route/router";
import { useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { money } from "../contracts/money";
import { InvoiceTable } from "./InvoiceTable";
import { Shares } from "./Shares";

const v = t.invoices;
const KEEPS_BOOKS = ["service_manager", "sales", "administrator"];

/** What was invoiced, and for those who keep the books what each contract leaves. */
export default function Invoices() {
  const account = useAccount();
  const invoices = useInvoices();
  const keeps = account.roles.some((role) => KEEPS_BOOKS.includes(role));
  return (
    <>
      <h1>{v.title}</h1>
      <div className="column">
        <Loaded answer={invoices}>
          {(page) =>
            page.items.length ? (
              <Card>
                <InvoiceTable invoices={page.items} />
              </Card>
            ) : (
              <Empty title={v.none}>{v.noneHint}</Empty>
            )
          }
        </Loaded>
        <Shares />
        {keeps ? <Results party={account.party} /> : null}
      </div>
    </>
  );
}

const COLUMNS = ["revenue", "credits", "visits", "parts", "data", "shares", "margin"] as const;

function Results({ party }: { party: string }) {
  const answer = useQuery("profit-and-loss", (signal) => get<ServiceResult[]>("/profit-and-loss", {}, signal), 30_000);
  const contracts = useContracts();
  const own = (contracts.data?.items ?? []).filter((one) => one.provider === party);
  return (
    <>
      <Card title={v.result}>
        <Loaded answer={answer}>
          {(rows) =>
            rows.length === 0 ? (
              <p className="weak">{v.noResult}</p>
            ) : (
              <div className="scroll-x">
                <table className="plain-table">
                  <thead>
                    <tr>
                      <th scope="col">{v.contract}</th>
                      <th scope="col">{v.customer}</th>
                      {COLUMNS.map((name) => (
                        <th scope="col" className="right" key={name}>
                          {v[name]}
                        </th>
                      ))}
                      <th scope="col" className="right">
                        %
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <tr key={`${row.contract} ${row.customer} ${row.currency}`}>
                        <th scope="row">
                          <Link place={`contracts/${row.contract}`}>{row.contract}</Link>
                        </th>
                        <td>{row.customer}</td>
                        {COLUMNS.map((name) => (
                          <td className="right num" key={name}>
                            {money(row[name], name === "margin" ? row.currency : "")}
                          </td>
                        ))}
                        <td className="right num">{row.margin_percent ?? "–"}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Loaded>
      </Card>
      {own.length ? <CostForm contracts={own} /> : null}
    </>
  );
}

function CostForm({ contracts }: { contracts: ContractSummary[] }) {
  const [contract, setContract] = useState(contracts[0]?.id ?? "");
  const [kind, setKind] = useState<keyof typeof v.costs>("visits");
  const [amount, setAmount] = useState("");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const currency = contracts.find((one) => one.id === contract)?.currency;
      await post("/ledger", { contract, kind, amount, currency, text });
      setAmount("");
      setText("");
      reloadAll();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    }
  };
  return (
    <Card title={v.book}>
      <form className="cost-form" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>{v.contract}</span>
          <select value={contract} onChange={(e) => setContract(e.target.value)}>
            {contracts.map((one) => (
              <option key={one.id}>{one.id}</option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{v.kind}</span>
          <select value={kind} onChange={(e) => setKind(e.target.value as keyof typeof v.costs)}>
            {Object.entries(v.costs).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>{v.amount}</span>
          <input type="text" inputMode="decimal" pattern="[0-9]+([.][0-9]{1,3})?" required value={amount} onChange={(e) => setAmount(e.target.value)} />
        </label>
        <label className="field">
          <span>{v.what}</span>
          <input type="text" required value={text} onChange={(e) => setText(e.target.value)} />
        </label>
        <button type="submit" className="primary">
          {v.bookIt}
        </button>
      </form>
      {problem ? <Problem error={problem} /> : null}
    </Card>
  );
}
