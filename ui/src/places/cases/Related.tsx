import type { CaseDetail } from "../../api/types";
import { Card } from "../../parts/Card";
import { Link } from "../../route/router";
import { t } from "../../texts/en";
import { SeverityMark, StatusWord } from "./marks";

/** The other requirements that were violated at this place and time: one matter, each proven by itself. */
export function Related({ one }: { one: CaseDetail }) {
  if (one.related.length === 0) return null;
  return (
    <Card title={t.case.related} extra={<span className="weak num">{one.related.length}</span>}>
      <ul className="related-cases">
        {one.related.map((other) => (
          <li key={other.id}>
            <SeverityMark severity={other.severity} />
            <Link place={`cases/${other.id}`} className="strong">
              {other.text || other.requirement}
            </Link>
            <span className="weak">
              <StatusWord status={other.status} active={other.active} source={other.source} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
