import { useCases } from "../../data/cases";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { CaseLine } from "./Cases";

const SHOWN = 3;

/** The open cases of a machine (empty: of all) in a few lines that lead to them; nothing where there are none. */
export function OpenCasesLine({ twin }: { twin: string }) {
  const answer = useCases(twin, true);
  const open = answer.data ?? [];
  if (open.length === 0) return null;
  return (
    <div className="open-cases">
      <h3>
        <Link place="cases" params={{ twin }}>
          {t.cases.line(open.length)}
        </Link>
      </h3>
      <ul className="case-cards">
        {open.slice(0, SHOWN).map((one) => (
          <li key={one.id} className={`case-card severity-edge-${one.severity}`}>
            <CaseLine one={one} machine={twin === ""} />
          </li>
        ))}
      </ul>
    </div>
  );
}
