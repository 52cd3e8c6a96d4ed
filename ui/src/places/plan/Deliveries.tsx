import { useState } from "react";
import { ApiError } from "../../api/client";
import type { Delivery, Said } from "../../api/types";
import { useDeliveries, useNotMatched, withdrawWord } from "../../data/deliveries";
import { useHappened } from "../../live/live";
import { Time } from "../../parts/Clock";
import { Loaded, Problem, Skeleton } from "../../parts/Feedback";
import { mayPlan, useAccount } from "../../session/session";
import { notify } from "../../shell/notify";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { DeliveryForm } from "./DeliveryForm";
import { Late, NeedTable } from "./NeedTable";

const d = t.plan.deliveries;
const FIRST = 8;

/** Deliveries with where they stand, by how much late and by whose word; and words that are about none of them. */
export function Deliveries() {
  const all = useDeliveries();
  const [lostFrom, setLostFrom] = useState("");
  const lost = useNotMatched(lostFrom);
  const account = useAccount();
  const [chosen, setChosen] = useState("");
  const [problem, setProblem] = useState<ApiError>();
  const reload = (): void => {
    all.reload();
    lost.reload();
  };
  useHappened((event) => {
    if (event.kind === "plan") reload();
  });
  const takeBack = (id: string): void => {
    setProblem(undefined);
    withdrawWord(id).then(
      () => {
        notify(d.takenBack, "success");
        reload();
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        setProblem(error);
      },
    );
  };
  const plans = mayPlan(account);
  const may = plans || account.roles.includes("operator");
  // Another date is said, and an event taken back, by who plans; who stands at the gate says what came.
  const stepsFor = (one: Delivery, house: string) => stepsOf(one, house).filter((step) => step === "came" || plans);
  const table = (title: string, rows: Delivery[], house: string) => {
    const say = rows.find((one) => keyOf(one) === chosen);
    return (
      <>
        <NeedTable
          title={title}
          hint={d.hint}
          none={d.none}
          first={FIRST}
          numbers={[d.cols.amount]}
          columns={[d.cols.way, d.cols.thing, d.cols.ref, d.cols.partner, d.cols.amount, d.cols.announced, d.cols.there, d.cols.state, d.cols.late, d.cols.by, ...(may ? [d.cols.say] : [])]}
          rows={[...rows].sort(lateFirst).map((one) => [
            one.house === house ? d.ways[one.side] : d.waysOfOthers[one.side],
            <strong key="thing">{one.thing}</strong>,
            one.ref || d.nothing,
            one.house === house ? one.partner || d.nothing : one.house,
            <span key="amount" className="num">
              {amountOf(one)}
            </span>,
            one.announced ? <Time key="announced" at={one.announced} precision="minute" /> : d.nothing,
            <There key="there" one={one} />,
            `${d.marks[one.state]} ${one.side === "out" && one.state === "announced" ? d.promised : d.states[one.state]}`,
            one.late_s > 0 ? <Late key="late" seconds={one.late_s} /> : d.nothing,
            <By key="by" one={one} />,
            ...(may
              ? [
                  stepsFor(one, house).length && one.ref ? (
                    <button key="say" type="button" className="plain" aria-expanded={keyOf(one) === chosen} onClick={() => setChosen(keyOf(one) === chosen ? "" : keyOf(one))}>
                      {d.say(one.ref)}
                    </button>
                  ) : (
                    d.nothing
                  ),
                ]
              : []),
          ])}
        />
        {say ? (
          <DeliveryForm
            key={keyOf(say)}
            one={say}
            steps={stepsFor(say, house)}
            close={() => setChosen("")}
            said={() => {
              setChosen("");
              reload();
            }}
          />
        ) : null}
      </>
    );
  };
  return (
    <>
      <Loaded answer={all} skeleton={<Skeleton lines={6} />}>
        {(list) => (
          <>
            {list.own.length || !list.of_others.length ? table(d.own, list.own, list.party) : null}
            {list.of_others.length ? table(d.ofOthers, list.of_others, list.party) : null}
          </>
        )}
      </Loaded>
      {problem ? <Problem error={problem} /> : null}
      {lost.data && (lost.data.items.length || lostFrom) ? (
        <NeedTable
          title={d.notMatched}
          hint={d.notMatchedHint}
          none={d.noMoreLost}
          columns={[d.lostCols.at, d.lostCols.step, d.lostCols.by, d.lostCols.refs, d.lostCols.why, ...(may ? [d.lostCols.act] : [])]}
          rows={lost.data.items.map((one) => [
            <Time key="at" at={one.at} precision="minute" />,
            d.steps[one.step as keyof typeof d.steps] ?? one.step,
            one.party,
            one.refs.at(-1) ?? d.nothing,
            <span key="why" className="delivery-why">
              <span className="board-late">▲ {one.fault.message}.</span> {one.fault.hint}.
            </span>,
            ...(may
              ? [
                  one.party === account.party && (plans || one.step === "came") ? (
                    <button key="back" type="button" className="plain" onClick={() => takeBack(one.id)}>
                      {d.takeBack}
                    </button>
                  ) : (
                    d.nothing
                  ),
                ]
              : []),
          ])}
        />
      ) : null}
      {lost.data && (lost.data.next || lostFrom) ? (
        <div className="row">
          {lostFrom ? (
            <button type="button" className="plain" onClick={() => setLostFrom("")}>
              {d.newestLost}
            </button>
          ) : null}
          {lost.data.next ? (
            <button type="button" className="plain" onClick={() => setLostFrom(lost.data?.next ?? "")}>
              {d.olderLost}
            </button>
          ) : null}
        </div>
      ) : null}
    </>
  );
}

const keyOf = (one: Delivery): string => `${one.house} ${one.side} ${one.thing} ${one.ref}`;

/** What is still to come before what came; the latest first, then that of which somebody said something. */
const lateFirst = (a: Delivery, b: Delivery): number => Number(a.state === "came") - Number(b.state === "came") || b.late_s - a.late_s || Number(!!b.expected_by) - Number(!!a.expected_by);

/** What we may say of a delivery: who sends says when it is expected, who receives that it came. */
function stepsOf(one: Delivery, party: string): ("expected" | "came")[] {
  if (one.house === party) return one.side === "in" ? ["came", "expected"] : ["came"];
  return one.side === "in" ? ["expected"] : ["came"];
}

function amountOf(one: Delivery): string {
  if (one.state !== "came" && one.came_amount > 0) return d.soFar(formatNumber(one.came_amount, 0), formatNumber(one.amount, 0));
  if (one.state !== "came") return one.amount === one.announced_amount ? formatNumber(one.amount, 0) : d.insteadOf(formatNumber(one.amount, 0), formatNumber(one.announced_amount, 0));
  return one.counted ? d.of(formatNumber(one.came_amount, 0), formatNumber(one.announced_amount, 0)) : d.notCounted(formatNumber(one.came_amount, 0));
}

function There({ one }: { one: Delivery }) {
  const at = one.came ?? one.expected;
  if (!at) return <>{d.nothing}</>;
  return <Time at={at} precision="minute" />;
}

/** Whose word it is where it stands, and whose when it is expected: an event, a person, or the register. */
function By({ one }: { one: Delivery }) {
  const own = one.state === "announced" ? null : one.said;
  const expected = one.state !== "came" && one.expected_by?.id !== own?.id ? one.expected_by : null;
  if (!own && !expected) return <>{d.register}</>;
  return (
    <span className="delivery-why" title={[own?.id, expected?.id].filter(Boolean).join(", ")}>
      {own ? wordOf(own) : null}
      {expected ? `${own ? `; ${d.expectedBy} ` : ""}${wordOf(expected)}` : null}
      {one.reason && one.state !== "came" ? ` · ${one.reason}` : ""}
    </span>
  );
}

function wordOf(said: Said): string {
  return `${said.party} · ${said.event ? d.byEvent(said.id.slice(-8)) : said.id ? said.by || d.somebody : d.register}`;
}
