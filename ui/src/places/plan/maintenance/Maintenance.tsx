import { useDueTasks, useRecommendations, useVisitCounts } from "../../../data/maintenance";
import { Card } from "../../../parts/Card";
import { Empty, Loaded, Skeleton } from "../../../parts/Feedback";
import { useAccount } from "../../../session/session";
import { t } from "../../../texts/en";
import { Counts, DueList, PartList } from "./Lists";
import { PlacedPlan } from "./PlacedPlan";
import { RecommendationList } from "./RecommendationList";
import "./maintenance.css";

const m = t.maintenance;

/** What is due, where it costs least, and what became of what was recommended. */
export default function Maintenance() {
  const account = useAccount();
  const due = useDueTasks();
  const recommended = useRecommendations();
  const counted = useVisitCounts();
  const plans = (due.data?.items.length ?? 0) > 0;
  return (
    <div className="maintenance">
      <p className="weak">{m.lead}</p>
      <Card title={m.follow.title}>
        <Loaded answer={recommended} skeleton={<Skeleton lines={4} />}>
          {(found) =>
            found.items.length === 0 ? <Empty title={m.follow.none}>{m.follow.noneHint}</Empty> : <RecommendationList found={found} reload={recommended.reload} />
          }
        </Loaded>
      </Card>
      {plans ? <PlacedPlan /> : null}
      <Loaded answer={due} skeleton={<Skeleton lines={6} />}>
        {(found) =>
          found.items.length === 0 ? (
            account.roles.includes("service_manager") ? (
              <Card title={m.due.title}>
                <Empty title={m.due.none}>{m.due.noneHint}</Empty>
              </Card>
            ) : null
          ) : (
            <>
              <DueList items={found.items} />
              <PartList parts={found.parts} />
            </>
          )
        }
      </Loaded>
      <Loaded answer={counted} skeleton={<Skeleton lines={3} />}>
        {(found) => <Counts items={found.items} />}
      </Loaded>
    </div>
  );
}
