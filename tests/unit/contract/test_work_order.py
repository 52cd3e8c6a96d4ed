"""Work orders: their steps, who answers for what they say, and how they count beside reasons and fault conditions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.canonical_json import plain
from servitwin.domain.error import ConflictError, InvalidInputError
from servitwin.domain.guarantee_time import RULES
from servitwin.domain.instant import HOUR
from servitwin.domain.reason import Reason
from servitwin.domain.settlement import MachineFacts, MachineResult, settle
from servitwin.domain.settlement_inputs import SettlementInputs
from servitwin.domain.state_time import State
from servitwin.domain.time_table import TimeTable
from servitwin.domain.work_order import WorkOrder, check_order, next_order, orders_in_force, word_of
from servitwin.formats.settlement_document import interval_rows
from tests.unit.contract.samples import at, contract, guarantee, hours, march_of

STOP = (300.0, 310.0)


def order(author: str = "maker", responsible: str = "plant", **more: Any) -> WorkOrder:
    fields: dict[str, Any] = {
        "id": "w1", "number": 1, "twin": "crane", "action": "open", "status": "open", "kind": "unplanned",
        "start": at(STOP[0]), "end": at(STOP[1]), "cause": "no-material", "party": responsible,
        "cause_party": author, "by": "someone", "by_party": author, "at": at(311),
    }  # fmt: skip
    return WorkOrder(**{**fields, **more})


def reason(author: str, responsible: str, start: float = STOP[0], end: float = STOP[1], id: str = "r1") -> Reason:
    return Reason(id, "crane", at(start), at(end), "operator-error", responsible, "someone", author, at(312))


def settled(
    orders: Sequence[WorkOrder], reasons: Sequence[Reason] = (), party: str = "", burden: Any = "provider"
) -> MachineResult:
    known = {"party": party} if party else {}
    intervals = hours((300, State.PRODUCING), (10, State.FAILED, known), (434, State.PRODUCING))
    agreed = contract(guarantee(burden_of_proof=burden))
    words = [word_of(o, at(744)) for o in orders_in_force(orders)]
    machine = MachineFacts("crane", TimeTable.of(intervals))
    return settle(agreed, march_of(agreed), [machine], list(reasons), [], orders=words).machines[0]


def excluded(result: MachineResult) -> float:
    return float(result.totals["excluded"] / HOUR)


@pytest.mark.parametrize(
    ("author", "responsible", "left_out"),
    [("plant", "customer", 10), ("maker", "customer", 0), ("maker", "provider", 0), ("maker", "third", 0)],
)
def test_an_order_counts_unless_it_favours_who_says_it(author: str, responsible: str, left_out: float) -> None:
    assert excluded(settled([order(author, responsible)])) == left_out


@pytest.mark.parametrize(
    ("by_order", "by_reason", "by_machine", "left_out"),
    [
        (("plant", "plant"), ("maker", "maker"), "maker", 10),  # the order before the reason
        (("maker", "maker"), ("plant", "plant"), "plant", 0),
        (("maker", "plant"), ("plant", "plant"), "", 10),  # an order that only claims hides no reason that counts
        (("plant", "maker"), ("maker", "maker"), "plant", 0),
        (("maker", "plant"), None, "plant", 10),  # and no fault condition
        (("maker", ""), ("plant", "plant"), "", 10),  # an order that names nobody leaves it to the reason
        (("maker", ""), None, "", 0),  # or to the burden of proof
    ],
)
def test_the_order_of_precedence(
    by_order: tuple[str, str], by_reason: tuple[str, str] | None, by_machine: str, left_out: float
) -> None:
    reasons = [reason(*by_reason)] if by_reason else []
    assert excluded(settled([order(*by_order)], reasons, by_machine)) == left_out


def test_rows_name_the_order_or_the_reason_that_decided_them() -> None:
    half = order("plant", "plant", end=at(305))
    rows = interval_rows(settled([half], [reason("plant", "grid")]).time)
    stopped = [r for r in rows if r["state"] == "failed"]
    assert [(r.get("work_order"), r.get("reason"), r["said"]) for r in stopped] == [
        ("w1", None, "no-material"), (None, "r1", "operator-error"),
    ]  # fmt: skip


def test_reasons_that_follow_each_other_without_a_gap_both_count() -> None:
    first, second = reason("plant", "plant", 300, 306), reason("plant", "maker", 306, 310, "r2")
    result = settled([], [first, msgspec.structs.replace(second, author_party="maker")])
    assert excluded(result) == 6
    assert result.totals["unavailable"] == 4 * HOUR


def test_an_open_order_counts_up_to_now_and_running_time_is_never_touched() -> None:
    result = settled([order("plant", "plant", end=None, start=at(290))])
    assert excluded(result) == 10
    assert result.totals["available"] == 734 * HOUR


def test_whoever_changes_the_cause_or_makes_it_longer_answers_for_it() -> None:
    opened = order("plant", "plant", end=None)
    closed = next_order(opened, step(opened, "close", by="maker", end=at(308)))
    assert (closed.cause_party, excluded(settled([opened, closed]))) == ("plant", 8)
    shorter = next_order(closed, step(closed, "change", by="maker", start=at(302)))
    assert (shorter.cause_party, excluded(settled([opened, closed, shorter]))) == ("plant", 6)
    longer = next_order(closed, step(closed, "change", by="maker", end=at(309)))
    assert (longer.cause_party, excluded(settled([opened, closed, longer]))) == ("maker", 0)
    own = next_order(opened, step(opened, "change", by="maker", party="third"))
    assert (own.cause_party, excluded(settled([opened, own]))) == ("maker", 0)


def test_a_cancelled_order_counts_for_nothing_and_stays() -> None:
    opened = order("plant", "plant")
    gone = next_order(opened, step(opened, "cancel", status="cancelled"))
    assert excluded(settled([opened, gone])) == 0
    assert orders_in_force([opened, gone], known_at=opened.at) == [opened], "what was known before it was cancelled"
    with pytest.raises(ConflictError) as caught:
        next_order(gone, step(gone, "change"))
    assert caught.value.fault.code == "work-order:cancelled"


def test_steps_out_of_turn_and_times_that_cannot_be_are_refused() -> None:
    opened = order(end=None)
    with pytest.raises(ConflictError) as caught:
        next_order(opened, step(opened, "close", number=3))
    assert caught.value.fault.code == "work-order:out-of-turn"
    for change in ({"end": at(299)}, {"end": at(400)}):
        with pytest.raises(InvalidInputError):
            next_order(opened, step(opened, "close", status="closed", **change))
    assert [f.code for f in check_order(order(start=at(320), end=None))] == ["work-order:in-the-future"]
    assert check_order(order(kind="planned", start=at(320), end=at(330))) == []
    assert [f.code for f in check_order(order(kind="planned", start=at(320) + 4000 * 24 * HOUR, end=None))] == [
        "work-order:too-far-ahead"
    ]
    closed = next_order(opened, step(opened, "close", end=at(308)))
    with pytest.raises(ConflictError) as twice:
        next_order(closed, step(closed, "close"))
    assert twice.value.fault.code == "work-order:closed"


def test_inputs_without_orders_are_written_as_before_there_were_orders() -> None:
    agreed = contract()
    inputs = SettlementInputs(agreed, march_of(agreed), at(0), at(744), at(744), {}, ())
    assert "work_orders" not in plain(inputs)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 743), st.integers(1, 400), st.sampled_from(["plant", "maker", "grid", ""]), st.booleans()
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_orders_say_every_nanosecond_lies_in_one_category(said: list[tuple[int, int, str, bool]]) -> None:
    orders = [
        order("plant", who, id=f"w{n}", start=at(start), end=None if still else at(start + length), at=at(n))
        for n, (start, length, who, still) in enumerate(said)
    ]
    result = settled(orders)
    assert sum(result.totals.values()) == 744 * HOUR
    assert result.totals["available"] == 734 * HOUR
    rows = interval_rows(result.time)
    assert all(a["to"] == b["from"] for a, b in pairwise(rows))
    assert {RULES[r] for r in result.time.rule} <= {
        "formula",
        "responsible-party",
        "burden-of-proof",
        "reason-claimed-only",
    }


def step(last: WorkOrder, action: Any, by: str = "plant", **changes: Any) -> WorkOrder:
    status = changes.pop("status", {"close": "closed", "change": last.status, "cancel": "cancelled"}[action])
    number = changes.pop("number", last.number + 1)
    said = {"number": number, "action": action, "status": status, "by_party": by, **changes}
    return msgspec.structs.replace(last, **{"at": last.at + HOUR, **said})
