import type { PlanNeeds } from "../../api/types";
import { useConcerning, useNeeds } from "../../data/schedules";
import { useHappened } from "../../live/live";
import { Time } from "../../parts/Clock";
import { Empty, Loaded, Skeleton } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { formatDuration } from "../../time/instant";
import { Deliveries } from "./Deliveries";
import { Amount, Late, NeedTable } from "./NeedTable";

const j = t.plan.justInTime;

/** What is needed when, where and from whom, who is late, who kept their word; and what others' plans want of us. */
export default function JustInTime() {
  const needs = useNeeds();
  const others = useConcerning();
  useHappened((event) => {
    if (event.kind !== "plan") return;
    needs.reload();
    others.reload();
  });
  return (
    <>
      <p className="weak">{j.lead}</p>
      <Deliveries />
      <Loaded answer={others} skeleton={<Skeleton lines={6} />}>
        {(concerning) => (
          <>
            <Loaded answer={needs} skeleton={<Skeleton lines={6} />}>
              {(own) => (own ? <Needs needs={own} own /> : concerning.items.length ? null : <Empty title={j.noPlan}>{j.noPlanHint}</Empty>)}
            </Loaded>
            {concerning.items.map((one) => (
              <section key={one.party} aria-label={j.ofOther(one.party)} className="board-section">
                <h2 className="just-in-time-party">{j.ofOther(one.party)}</h2>
                <Needs needs={one} own={false} />
              </section>
            ))}
          </>
        )}
      </Loaded>
    </>
  );
}

/** Towards others where material goes inside the house is not told: those columns are left out. */
function Needs({ needs, own }: { needs: PlanNeeds; own: boolean }) {
  const ratings = [...needs.suppliers.map((one) => ({ ...one, role: j.supplier })), ...needs.customers.map((one) => ({ ...one, role: j.customer }))];
  const has = (rows: unknown[]): boolean => own || rows.length > 0;
  return (
    <>
      {has(needs.requirements) ? (
        <NeedTable
          title={j.needed}
          none={j.noNeed}
          numbers={[j.cols.amount]}
          columns={[j.cols.material, j.cols.when, j.cols.expected, j.cols.amount, ...(own ? [j.cols.where, j.cols.by] : []), j.cols.from]}
          rows={needs.requirements.map((one) => [
            <strong key="what">{one.material}</strong>,
            <Time key="at" at={one.at} precision="minute" />,
            <There key="there" one={one} />,
            <Amount key="amount" of={one.amount} />,
            ...(own ? [one.machine, `${one.order}/${one.operation}`] : []),
            one.supplier ? `${one.supplier}${one.ref ? ` · ${one.ref}` : ""}` : j.stock,
          ])}
        />
      ) : null}
      {has(needs.pull) ? (
        <NeedTable
          title={j.pull}
          none={j.noPull}
          numbers={[j.pullCols.amount, j.pullCols.containers, j.pullCols.cards]}
          columns={[j.pullCols.by, j.pullCols.material, j.pullCols.amount, j.pullCols.containers, j.pullCols.cards, j.pullCols.supplier]}
          rows={needs.pull.map((one) => [
            <Time key="by" at={one.by} precision="minute" />,
            <strong key="what">{one.material}</strong>,
            <Amount key="amount" of={one.amount} />,
            <Amount key="containers" of={one.containers} />,
            <Amount key="cards" of={one.cards} />,
            one.supplier || j.nobody,
          ])}
        />
      ) : null}
      {has(needs.orders) ? (
        <NeedTable
          title={j.orders}
          none={j.noOrders}
          numbers={[j.orderCols.quantity]}
          columns={[j.orderCols.order, j.orderCols.product, j.orderCols.quantity, ...(own ? [j.orderCols.customer] : []), j.orderCols.due, j.orderCols.expected, j.orderCols.late]}
          rows={needs.orders.map((one) => [
            <strong key="order">{one.order}</strong>,
            one.product,
            <Amount key="quantity" of={one.quantity} />,
            ...(own ? [one.customer || j.nobody] : []),
            one.due ? <Time key="due" at={one.due} precision="minute" /> : j.nobody,
            <Time key="expected" at={one.expected} precision="minute" />,
            one.late_s > 0 ? <Late key="late" seconds={one.late_s} /> : one.due ? `✓ ${j.inTime}` : j.nobody,
          ])}
        />
      ) : null}
      {has(ratings) ? (
        <NeedTable
          title={j.otif}
          hint={j.otifHint}
          none={j.noOtif}
          numbers={[j.otifCols.ratio, j.otifCols.kept, j.otifCols.late, j.otifCols.short]}
          columns={["", j.otifCols.party, j.otifCols.ratio, j.otifCols.kept, j.otifCols.late, j.otifCols.short]}
          rows={ratings.map((one) => [
            one.role,
            <strong key="party">{one.party}</strong>,
            <span key="ratio" className={one.ratio !== null && one.ratio < 1 ? "num board-late" : "num"}>
              {one.ratio === null ? j.nobody : `${formatNumber(100 * one.ratio, 1)} %`}
            </span>,
            <span key="kept" className="num">{`${one.kept} / ${one.counted}`}</span>,
            <Amount key="late" of={one.late} />,
            <Amount key="short" of={one.short} />,
          ])}
        />
      ) : null}
    </>
  );
}

function There({ one }: { one: PlanNeeds["requirements"][number] }) {
  if (one.expected === null) return <span className="board-late">▲ {j.uncovered}</span>;
  if (one.late_s)
    return (
      <>
        <Time at={one.expected} precision="minute" /> <span className="board-late">▲ {j.lateBy(formatDuration(one.late_s * 1000))}</span>
      </>
    );
  return one.supplier ? <Time at={one.expected} precision="minute" /> : <>✓</>;
}
