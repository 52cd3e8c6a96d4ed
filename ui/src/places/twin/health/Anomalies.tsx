import type { TwinDetail } from "../../../api/types";
import { useAnomalyService } from "../../../data/anomalies";
import { Card } from "../../../parts/Card";
import { Empty, Loaded } from "../../../parts/Feedback";
import { t } from "../../../texts/en";

const a = t.anomalies;

/** Stretches in which the machine was not as it was when it was learnt. */
export function Anomalies({ twin }: { twin: TwinDetail }) {
  const answer = useAnomalyService(twin.id);
  return (
    <Card title={a.title}>
      <p className="weak">{a.note}</p>
      <Loaded answer={answer}>{(runs) => (runs ? <p>{runs.failure || a.runs}</p> : <Empty title={a.none}>{a.noneHint}</Empty>)}</Loaded>
    </Card>
  );
}
