import type { ServiceLevel } from "../../api/types";
import { t } from "../../texts/en";

const s = t.settlements;

/** Service levels of partners: what is owed, what was held, and whether that is enough. */
export function LevelTable({ levels, named = true }: { levels: readonly ServiceLevel[]; named?: boolean }) {
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            {named ? <th scope="col">{s.partner}</th> : null}
            <th scope="col">{s.level}</th>
            <th scope="col" className="right">
              {s.held}
            </th>
            <th scope="col">{s.least}</th>
            <th scope="col">{s.outcome}</th>
          </tr>
        </thead>
        <tbody>
          {levels.map((one) => (
            <tr key={`${one.party} ${one.measure} ${one.level}`}>
              {named ? <th scope="row">{one.party}</th> : null}
              <td>
                {one.measure} {one.level} {one.unit}
              </td>
              <td className="right num">{one.percent === null ? s.notMeasured : `${one.percent} % (${s.needed} ${one.needed} %)`}</td>
              <td className="weak">{one.worst}</td>
              <td>{one.kept ? <span className="pill quiet">{s.kept}</span> : <span className="pill warning">{s.breached(one.malus_percent)}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
