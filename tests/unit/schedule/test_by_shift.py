"""Work moved by the shift: nobody is worse off by what it may do itself, and what it may not is told in words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import ConflictError, InvalidInputError
from servitwin.domain.instant import HOUR, MINUTE, format_instant
from servitwin.domain.schedule.assemble import progress
from servitwin.domain.schedule.by_shift import ShiftMove, move_in_shift
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.learned import lessons
from servitwin.domain.schedule.master_data import ANSWERS, ShiftAnswer
from servitwin.domain.schedule.problem import (
    Arrival,
    Blocked,
    Machine,
    Material,
    Mode,
    Need,
    Operation,
    Order,
    Placement,
    ScheduleProblem,
    Setup,
)
from servitwin.domain.schedule.standing import Standing, stand
from tests.unit.schedule.instances import plan_of, small

T0 = 1_700_000_000 * 10**9 // HOUR * HOUR


def at(hours: float) -> int:
    return T0 + round(hours * HOUR)


def known_now(problem: ScheduleProblem, plan: tuple[Placement, ...], now: int) -> ScheduleProblem:
    """The same at a later time: what has begun is used up, what has arrived is there."""
    begun = {p.key for p in plan if p.begin < now}
    stock = []
    for m in problem.materials:
        used = sum(
            n.amount for o in problem.orders for s in o.operations if (o.id, s.id) in begun for n in s.needs
            if n.material == m.id
        )  # fmt: skip
        came = sum(a.amount for a in m.arrivals if a.time <= now)
        coming = tuple(a for a in m.arrivals if a.time > now)
        stock.append(msgspec.structs.replace(m, stock=m.stock + came - used, arrivals=coming))
    return msgspec.structs.replace(problem, start=now, materials=tuple(stock))


def standing_at(
    problem: ScheduleProblem, plan: tuple[Placement, ...], now: int, answers: tuple[ShiftAnswer, ...] = ()
) -> Standing:
    return stand(problem, plan, known_now(problem, plan, now), progress(plan, answers, now, {}))


def late(problem: ScheduleProblem, plan: tuple[Placement, ...]) -> dict[str, int]:
    """By hand, not by the measure that the rule uses."""
    return {
        o.id: max(0, max(p.end for p in plan if p.order == o.id) - o.due) for o in problem.orders if o.due is not None
    }


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_what_a_shift_may_do_itself_leaves_nobody_worse_off(seed: int, data: st.DataObject) -> None:
    problem = small(seed, 5)
    plan = plan_of(problem, data.draw(st.integers(0, 4)))
    last = max(p.end for p in plan)
    standing = standing_at(problem, plan, data.draw(st.integers(0, last - 1)))
    assert not check_plan(standing.problem, standing.placements)
    p = data.draw(st.sampled_from(standing.placements))
    how, freeze = data.draw(st.sampled_from(["first", "later"])), data.draw(st.integers(0, 30))
    try:
        made = move_in_shift(standing, p.machine, p.order, p.operation, how, freeze)
    except InvalidInputError as e:
        assert e.fault.code.startswith(("plan:", "shift:")) and e.fault.message and e.fault.hint
        return
    assert not check_plan(made.problem, made.placements)
    old, new = {q.key: q for q in standing.placements}, {q.key: q for q in made.placements}
    assert old.keys() == new.keys()
    assert new[made.ahead].begin < new[made.behind].begin and old[made.behind].begin < old[made.ahead].begin
    assert all(new[k] == q for k, q in old.items() if q.started), "what has happened stays"
    assert min(q.begin for q in new.values() if not q.started) >= standing.problem.start
    before, after = late(problem, standing.placements), late(problem, made.placements)
    worse = {o for o in after if after[o] > before[o]}
    near = {
        k for k, q in old.items()
        if q.machine != p.machine and q.begin < standing.problem.start + freeze and new[k].start != q.start
    }  # fmt: skip
    elsewhere = {k for k in old if old[k].machine != new[k].machine}
    assert bool(made.against) == bool(worse or near or elsewhere)
    assert {f.where for f in made.against if f.code == "shift:order-late"} == worse


def one(id: str, hours: float, machine: str = "m1", **more: object) -> Order:
    step = Operation("10", (Mode(machine, round(hours * HOUR)),), family=str(more.pop("family", "")))
    return msgspec.structs.replace(Order(id, (step,)), **more)


def placed(*rows: tuple[str, str, str, float, float]) -> tuple[Placement, ...]:
    return tuple(Placement(o, s, m, at(a), at(b)) for o, s, m, a, b in rows)


def hall(*orders: Order, **more: object) -> ScheduleProblem:
    base = ScheduleProblem(T0, at(200), (Machine("m1"), Machine("m2")), orders)
    return msgspec.structs.replace(base, **more)


THREE = hall(one("a", 1, due=at(4)), one("b", 1, due=at(9)), one("c", 1, due=at(3)))
IN_ROW = placed(("a", "10", "m1", 0.5, 1.5), ("b", "10", "m1", 1.5, 2.5), ("c", "10", "m1", 2.5, 3.5))


def moved(standing: Standing, order: str, how: str = "first", machine: str = "m1", operation: str = "10") -> ShiftMove:
    return move_in_shift(standing, machine, order, operation, how)  # type: ignore[arg-type]


def test_one_first_begins_now_and_the_words_say_what_it_costs() -> None:
    made = moved(standing_at(THREE, IN_ROW, at(0)), "c")
    assert (made.start, made.behind, made.against) == (T0, ("a", "10"), ())
    assert made.lines == (
        "c/10 first: it begins now",
        "a/10 begins 30 min later, still in time by 2 h 0 min",
        "b/10 begins 30 min later, still in time by 6 h 0 min",
        "Nothing moves on other machines",
    )


def test_an_order_that_would_be_late_needs_a_planner_who_is_told_by_how_much() -> None:
    due = hall(one("a", 1, due=at(1.75)), one("b", 1), one("c", 1))
    made = moved(standing_at(due, IN_ROW, at(0)), "c")
    assert [f.message for f in made.against] == ["a would be 15 min late; without the move it is in time"]
    assert "a/10 begins 30 min later, 15 min late" in made.lines
    worse = hall(one("a", 1, due=at(1)), one("b", 1), one("c", 1))
    made = moved(standing_at(worse, IN_ROW, at(0)), "c")
    assert [f.message for f in made.against] == ["a would be 1 h 0 min late instead of 30 min"]


def test_later_leaves_no_gap_where_the_following_one_can_come_now() -> None:
    made = moved(standing_at(THREE, IN_ROW, at(0)), "a", "later")
    assert [(p.order, p.start) for p in made.placements] == [("b", T0), ("a", at(1)), ("c", at(2.5))]
    assert (made.ahead, made.behind) == (("b", "10"), ("a", "10"))


def test_later_waits_where_the_following_one_has_no_part_yet_and_first_says_so() -> None:
    two = Order("b", (Operation("10", (Mode("m2", 3 * HOUR),)), Operation("20", (Mode("m1", HOUR),))))
    problem = hall(one("a", 1), two)
    plan = placed(("a", "10", "m1", 1, 2), ("b", "10", "m2", 0, 3), ("b", "20", "m1", 3, 4))
    standing = standing_at(problem, plan, at(0.5))
    with pytest.raises(InvalidInputError) as e:
        moved(standing, "b", operation="20")
    assert e.value.fault.code == "shift:cannot-go-first"
    assert e.value.fault.message == "b/20 cannot begin before a/10 is done: its part comes from m2 in 2 h 30 min"
    made = moved(standing, "a", "later")
    assert {p.key: p.start for p in made.placements if p.machine == "m1"} == {("b", "20"): at(3), ("a", "10"): at(4)}


def test_material_that_is_not_there_is_named() -> None:
    def needs(order: Order, amount: int) -> Order:
        step = msgspec.structs.replace(order.operations[0], needs=(Need("bar", amount),))
        return msgspec.structs.replace(order, operations=(step,))

    bar = Material("bar", "Bar 60", 5, (Arrival(at(2), 10),))
    problem = hall(needs(one("a", 1), 5), needs(one("b", 1), 5), materials=(bar,))
    standing = standing_at(problem, placed(("a", "10", "m1", 0.5, 1.5), ("b", "10", "m1", 2, 3)), at(0))
    made = moved(standing, "b")
    assert made.start == T0, "a gives its bar, and waits for the next one"
    short = hall(needs(one("a", 1), 5), needs(one("b", 1), 8), materials=(bar,))
    with pytest.raises(InvalidInputError) as e:
        moved(standing_at(short, placed(("a", "10", "m1", 0.5, 1.5), ("b", "10", "m1", 2, 3)), at(0)), "b")
    assert "Bar 60 is missing, for another 2 h 0 min" in e.value.fault.message
    gone = msgspec.structs.replace(known_now(problem, IN_ROW[:2], at(0)), materials=(Material("bar", "", 0),))
    with pytest.raises(ConflictError) as outdated:
        stand(problem, standing.placements, gone, progress((), (), at(0), {}))
    assert [f.code for f in outdated.value.faults][:2] == ["plan:outdated", "plan:material-missing"]


def test_other_machines_are_left_alone_within_the_freeze() -> None:
    a = Order("a", (Operation("10", (Mode("m1", HOUR),)), Operation("20", (Mode("m2", HOUR),))))
    problem = hall(a, one("b", 1))
    plan = placed(("a", "10", "m1", 1, 2), ("b", "10", "m1", 2, 3), ("a", "20", "m2", 2, 3))
    standing = standing_at(problem, plan, at(0.5))
    made = moved(standing, "b")
    assert [f.message for f in made.against] == ["m2 would begin a/20 30 min later, within the next 4 h 0 min"]
    assert move_in_shift(standing, "m1", "b", "10", "first", HOUR).against == ()


def test_what_cannot_be_moved_is_refused_in_words() -> None:
    routed = Order("r", (Operation("10", (Mode("m1", HOUR),)), Operation("20", (Mode("m1", HOUR),))))
    problem = hall(one("a", 1), one("b", 1), routed, one("x", 1, "m2"))
    rows = (("a", "10", "m1", 0, 1), ("r", "10", "m1", 1, 2), ("r", "20", "m1", 2, 3), ("b", "10", "m1", 3, 4))
    plan = placed(*rows, ("x", "10", "m2", 1, 2))
    no = ShiftAnswer("b", "10", "m1", "rejected", format_instant(at(0.2)), reason="tool-missing")
    standing = standing_at(problem, plan, at(0.5), (no,))
    for order, operation, how, code in (
        ("a", "10", "later", "plan:runs-already"),
        ("r", "10", "first", "shift:is-next"),
        ("r", "20", "first", "shift:comes-before"),
        ("r", "20", "later", "shift:nothing-follows"),
        ("b", "10", "first", "shift:was-rejected"),
        ("x", "10", "first", "shift:other-machine"),
        ("zz", "10", "first", "plan:unknown-operation"),
    ):
        with pytest.raises(InvalidInputError) as e:
            moved(standing, order, how, operation=operation)
        assert e.value.fault.code == code and e.value.fault.hint, (order, operation, how)


def test_what_has_slipped_before_is_not_counted_against_a_move() -> None:
    # The first began half an hour after it was planned: the second is late by that, whoever goes next of the others.
    problem = hall(one("a", 1), one("b", 1, due=at(2.25)), one("c", 1), one("d", 1))
    plan = placed(*((o, "10", "m1", n, n + 1) for n, o in enumerate("abcd")))
    began = ShiftAnswer("a", "10", "m1", "begun", format_instant(at(0.5)), began=format_instant(at(0.5)))
    standing = standing_at(problem, plan, at(0.75), (began,))
    assert {p.order: p.start for p in standing.placements} == {o: at(0.5 + n) for n, o in enumerate("abcd")}
    made = moved(standing, "c", "later")
    assert made.against == () and made.ahead == ("d", "10")
    assert [f.where for f in moved(standing, "c").against] == ["b"]


def test_the_set_up_that_a_move_costs_is_told() -> None:
    machine = Machine("m1", setups=(Setup("*", "*", HOUR),), family="red")
    problem = hall(
        one("a", 1, family="red"), one("b", 1, family="red"), one("c", 1, family="blue"), machines=(machine,)
    )
    plan = (*placed(("a", "10", "m1", 0, 1), ("b", "10", "m1", 1, 2)), Placement("c", "10", "m1", at(3), at(4), HOUR))
    made = moved(standing_at(problem, plan, at(0)), "c")
    assert "Change-overs take 1 h 0 min more in all" in made.lines
    assert made.lines[0] == "c/10 first: it begins now"


def test_a_machine_that_is_down_by_now_moves_everything_on_and_not_into_the_past() -> None:
    down = (Machine("m1", blocked=(Blocked(at(0), at(2), "down", "drive"),)), Machine("m2"))
    fresh = msgspec.structs.replace(THREE, machines=down)
    standing = stand(THREE, IN_ROW, fresh, progress(IN_ROW, (), at(0), {}))
    assert [p.start for p in standing.placements] == [at(2), at(3), at(4)]
    made = moved(standing, "c")
    assert made.start == at(2) and "is down (drive)" in made.lines[0] and "in 2 h 0 min" in made.lines[0]


def test_what_is_no_longer_open_stays_as_planned_and_what_is_new_stays_unplanned() -> None:
    fresh = hall(one("a", 1), one("c", 2, due=at(3)), one("new", 1))
    standing = stand(THREE, IN_ROW, fresh, progress(IN_ROW, (), at(0), {}))
    assert {p.order for p in standing.placements} == {"a", "b", "c"}
    assert next(p.end - p.start for p in standing.placements if p.order == "c") == 2 * HOUR


def test_a_move_teaches_what_is_about_the_place_and_says_nothing_of_progress() -> None:
    def move(order: str, reason: str, n: int) -> ShiftAnswer:
        return ShiftAnswer(order, "10", "m1", "moved", format_instant(at(n)), product="p", reason=reason, first="z/10")

    assert lessons([move("a", "tool-missing", 0), move("a", "tool-missing", 1)]) == {}, "the same one again"
    found = lessons([move("a", "tool-missing", 0), move("b", "tool-missing", 1)])["p", "10", "m1"]
    assert (found.cost, found.rejections, found.reasons) == (60, 2, ("tool-missing",))
    assert lessons([move(o, "no-time", n) for n, o in enumerate("abc")]) == {}
    plan = placed(("a", "10", "m1", 0, 1))
    begun = ShiftAnswer("a", "10", "m1", "begun", format_instant(at(0.5)), began=format_instant(at(0.5)))
    (running,) = progress(plan, [begun, move("a", "other", 1)], at(0.5) + MINUTE, {}).running
    assert running.start == at(0.5)
    no = msgspec.structs.replace(begun, answer="rejected", reason="tool-missing")
    assert progress(plan, [no, move("a", "other", 1)], at(2), {}).done == frozenset()
    assert ANSWERS.check(move("a", "", 0))[0].code == "shift:reason-missing"
