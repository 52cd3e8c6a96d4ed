import { type FormEvent, useState } from "react";
import { ApiError, post } from "../../api/client";
import type { ContractSummary } from "../../api/types";
import { useContracts, useInvoices } from "../../data/contracts";
import { reloadAll } from "../../data/query";
import { Card } from "../../parts/Card";
import { Empty, Loaded, Problem } from "../../parts/Feedback";
import { keepsBooks, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { InvoiceTable } from "./InvoiceTable";
import { Results } from "./Results";
import { Shares } from "./Shares";

const v = t.invoices;

/** What was invoiced, and for those who keep the books what each contract leaves. */
export default function Invoices() {
  const account = useAccount();
  const invoices = useInvoices();
  const keeps = keepsBooks(account);
  return (
    <>
      <h1 className="place-title">{v.title}</h1>
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
        {keeps ? <Results /> : null}
        {keeps ? <Costs party={account.party} /> : null}
      </div>
    </>
  );
}

function Costs({ party }: { party: string }) {
  const contracts = useContracts();
  const own = (contracts.data?.items ?? []).filter((one) => one.provider === party);
  return own.length ? <CostForm contracts={own} /> : null;
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
