import { type ReactNode, useState } from "react";
import { stackedBy } from "../../parts/stacked";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { formatDuration } from "../../time/instant";

const SHOWN = 20;

export function Amount({ of }: { of: number }) {
  return <span className="num">{formatNumber(of, 0)}</span>;
}

export function Late({ seconds }: { seconds: number }) {
  return <span className="num board-late">▲ {formatDuration(seconds * 1000)}</span>;
}

/** A table under its own heading; long ones begin short. Columns whose names are among `numbers` end right. */
export function NeedTable({ title, hint, none, columns, numbers = [], rows, first = SHOWN }: { title: string; hint?: string; none: string; columns: string[]; numbers?: string[]; rows: ReactNode[][]; first?: number }) {
  const [all, setAll] = useState(false);
  const side = (name: string | undefined): string | undefined => (name !== undefined && numbers.includes(name) ? "right" : undefined);
  return (
    <section className="board-section" aria-label={title}>
      <h2>{title}</h2>
      {hint ? <p className="weak">{hint}</p> : null}
      {rows.length === 0 ? (
        <p className="weak">{none}</p>
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="grid-box" tabIndex={0} role="group" aria-label={title}>
          <table className="grid stacks" style={stackedBy(columns)}>
            <thead>
              <tr>
                {columns.map((name, n) => (
                  <th key={`${n} ${name}`} scope="col" className={side(name)}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {(all ? rows : rows.slice(0, first)).map((cells, n) => (
                // Rows have no names of their own and are drawn anew as a whole.
                <tr key={n}>
                  {cells.map((cell, m) => (
                    <td key={m} className={side(columns[m])}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {!all && rows.length > first ? (
            <button type="button" className="plain" onClick={() => setAll(true)}>
              {t.plan.justInTime.more(rows.length)}
            </button>
          ) : null}
        </div>
      )}
    </section>
  );
}
