import type { InvoiceSummary } from "../../api/types";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { money } from "../contracts/money";

const v = t.invoices;

/** Invoices and credit notes with their documents. */
export function InvoiceTable({ invoices }: { invoices: readonly InvoiceSummary[] }) {
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{v.number}</th>
            <th scope="col">{v.kind}</th>
            <th scope="col">{v.contract}</th>
            <th scope="col">{v.buyer}</th>
            <th scope="col">{v.issued}</th>
            <th scope="col" className="right">
              {v.net}
            </th>
            <th scope="col" className="right">
              {v.tax}
            </th>
            <th scope="col" className="right">
              {v.total}
            </th>
            <th scope="col" className="right">
              {v.settled}
            </th>
            <th scope="col" className="right">
              {v.offset}
            </th>
            <th scope="col" className="right">
              {v.open}
            </th>
            <th scope="col">{v.documents}</th>
          </tr>
        </thead>
        <tbody>
          {invoices.map((one) => (
            <tr key={`${one.seller} ${one.number}`}>
              <th scope="row" className="num">
                {one.number}
              </th>
              <td>
                {v.kinds[one.type]}
                {one.credits ? <div className="weak nowrap">{v.of(one.credits)}</div> : null}
                {one.credited_by.length ? <div className="weak nowrap">{v.creditedBy(one.credited_by.join(", "))}</div> : null}
              </td>
              <td>
                <Link place={`contracts/${one.contract}`}>{one.contract}</Link>
              </td>
              <td>{one.buyer}</td>
              <td className="num">{one.issued}</td>
              <td className="right num">{money(one.net)}</td>
              <td className="right num">{money(one.tax)}</td>
              <td className="right num">{money(one.total, one.currency)}</td>
              <td className="right num">{Number(one.settled) ? money(one.settled) : "–"}</td>
              <td className="right num">{Number(one.offset) ? money(one.offset) : "–"}</td>
              <td className="right num">{one.paid ? <span className="weak">{v.nothingOpen}</span> : <strong>{money(one.open, one.currency)}</strong>}</td>
              <td>
                {(["pdf", "ubl", "cii"] as const).map((form) => (
                  <a key={form} className="document-link" href={`/api/v1/invoices/${encodeURIComponent(one.number)}/document?form=${form}&seller=${one.seller}`} target="_blank" rel="noreferrer">
                    {form.toUpperCase()}
                  </a>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
