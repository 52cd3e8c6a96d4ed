"""What is made of a plan: reasons, changes, moves by hand, lessons, the shift, just in time, and files."""

from __future__ import annotations

import gzip
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import HOUR, MINUTE, format_instant, parse_instant
from servitwin.domain.schedule.assemble import Shop, assemble, progress
from servitwin.domain.schedule.assistant import next_tasks
from servitwin.domain.schedule.build import Builder
from servitwin.domain.schedule.by_hand import move_by_hand
from servitwin.domain.schedule.change import compare, reality
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.grid import Grid
from servitwin.domain.schedule.just_in_time import (
    kanban_cards,
    otif,
    promises_of_orders,
    promises_of_suppliers,
    pull_signals,
    requirements,
)
from servitwin.domain.schedule.learned import lessons
from servitwin.domain.schedule.master_data import (
    KanbanLoop,
    PieceNeed,
    PlannedArrival,
    ProductionOrder,
    Routing,
    RoutingStep,
    ShiftAnswer,
    StockedMaterial,
    Way,
)
from servitwin.domain.schedule.problem import (
    Arrival,
    Blocked,
    Machine,
    Material,
    Mode,
    Need,
    Operation,
    Order,
    ScheduleProblem,
)
from servitwin.domain.schedule.reason import Reasons
from servitwin.formats.job_order import job_list
from tests.conftest import shared_data
from tests.unit.schedule.instances import plan_of, small

T0 = parse_instant("2026-03-02T06:00:00Z")


def at(hours: float) -> int:
    return T0 + round(hours * HOUR)


def shop(*orders: Order, machines: tuple[Machine, ...] = (Machine("m1"),), **more: object) -> ScheduleProblem:
    base = ScheduleProblem(T0, at(200), machines, orders, tick=MINUTE)
    return msgspec.structs.replace(base, **more)


def order(name: str, *steps: tuple[str, float], due: float | None = None, **more: object) -> Order:
    operations = tuple(Operation(str(10 * (n + 1)), (Mode(m, round(h * HOUR)),)) for n, (m, h) in enumerate(steps))
    return msgspec.structs.replace(Order(name, operations, due=None if due is None else at(due)), **more)


def test_a_late_order_is_told_with_what_it_waited_for() -> None:
    machines = (
        Machine("m1", blocked=(Blocked(at(3), at(5), "down", "spindle"),)),
        Machine("m2", windows=((at(8), at(16)),)),
    )
    problem = shop(order("a", ("m1", 3), due=3), order("b", ("m1", 2), ("m2", 1), due=4), machines=machines)
    late = Reasons(problem, plan_of(problem)).late()
    assert [o.order for o in late] == ["b"]
    assert late[0].late == at(9) - at(4) and not late[0].hopeless
    assert late[0].shares == {"busy": 3 * HOUR, "blocked": 2 * HOUR, "shift": 1 * HOUR}
    assert "5 h 0 min late" in late[0].text and "a/10" in late[0].text


def test_material_is_named_and_an_order_that_never_could_be_in_time_is_told_so() -> None:
    needs = (Need("bar", 2),)
    first = Order("a", (Operation("10", (Mode("m1", HOUR),), needs=needs),), due=at(0.5))
    problem = shop(first, materials=(Material("bar", "Bar 60", 1, (Arrival(at(7), 5, "north"),)),))
    reasons = Reasons(problem, plan_of(problem))
    assert [(w.kind, w.what, w.end) for w in reasons.of(("a", "10")).waits] == [("material", "Bar 60", at(7))]
    assert reasons.late()[0].hopeless


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_waits_fill_the_time_between_ready_and_start(seed: int) -> None:
    problem = small(seed, 4)
    plan = plan_of(problem)
    reasons = Reasons(problem, plan)
    for p in plan:
        found = reasons.of(p.key)
        waited = sum(w.end - w.start for w in found.waits)
        assert waited == found.start - found.ready
        assert all(a.end == b.start for a, b in zip(found.waits, found.waits[1:], strict=False))


def test_after_a_breakdown_what_it_does_not_touch_stays() -> None:
    problem = shop(
        order("a", ("m1", 2), ("m2", 2)),
        order("b", ("m2", 1), ("m3", 5)),
        order("c", ("m3", 3)),
        machines=(Machine("m1"), Machine("m2"), Machine("m3")),
    )
    before = plan_of(problem)
    down = (Machine("m1", blocked=(Blocked(at(1), at(4), "down", "drive"),)), Machine("m2"), Machine("m3"))
    facts = [msgspec.structs.replace(p, end=at(5)) if p.machine == "m1" else p for p in before if p.start < at(1)]
    now = reality(msgspec.structs.replace(problem, machines=down), before, at(1), started=facts)
    grid = Grid(now)
    floor = [max(0, grid.down(next(p for p in before if p.key == s.key).start)) for s in grid.steps]
    spots = Builder(grid).build(lambda s: float(floor[s.index]), None, floor)
    assert spots is not None
    after = grid.placements(spots)
    assert not check_plan(now, after)
    found = compare(now, before, after)
    assert {(m.order, m.operation) for m in found.moved} == {("a", "20")}
    assert found.moved[0].later == 3 * HOUR and "a/10" in found.moved[0].why


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.data())
def test_a_move_by_hand_gives_a_plan_that_passes_the_check_or_says_why_not(seed: int, data: st.DataObject) -> None:
    problem = small(seed, 4)
    plan = plan_of(problem)
    p = data.draw(st.sampled_from(plan))
    machine = data.draw(st.sampled_from(["m0", "m1", "m2", "m9"]))
    start = data.draw(st.integers(-5, 60))
    try:
        now, after = move_by_hand(problem, plan, p.order, p.operation, machine, start)
    except InvalidInputError as e:
        assert e.fault.code.startswith("plan:") and e.fault.message
        return
    assert not check_plan(now, after)
    there = next(q for q in after if q.key == p.key)
    assert there.machine == machine and there.start >= start


def test_a_move_by_hand_displaces_what_is_in_its_way_and_nothing_else() -> None:
    problem = shop(
        order("a", ("m1", 2)), order("b", ("m1", 2)), order("c", ("m2", 2)), machines=(Machine("m1"), Machine("m2"))
    )
    plan = plan_of(problem)
    second = max((p for p in plan if p.machine == "m1"), key=lambda p: p.start)
    _, after = move_by_hand(problem, plan, second.order, second.operation, "m1", T0)
    by = {p.order: p for p in after}
    assert by[second.order].start == T0
    assert sorted(p.start for p in after if p.machine == "m1") == [T0, at(2)]
    assert by["c"].start == T0


def answer(said: str, n: int, **more: object) -> ShiftAnswer:
    base = ShiftAnswer("o", "10", "m1", "done", format_instant(T0 + n * HOUR), product="p", planned_s=3600.0)
    return msgspec.structs.replace(base, answer=said, **more)


def test_the_plan_learns_times_from_three_and_rejections_from_two_on() -> None:
    done = [answer("done", n, began=format_instant(at(n)), ended=format_instant(at(n + 1.5))) for n in range(3)]
    no = [answer("rejected", n + 9, reason="tool-missing") for n in range(2)]
    assert lessons(done[:2] + no[:1]) == {}
    found = lessons(done + no)["p", "10", "m1"]
    assert (found.factor, found.times, found.cost, found.reasons) == (1.5, 3, 60, ("tool-missing",))


def production(**more: object) -> Shop:
    routing = Routing(
        (
            RoutingStep("10", (Way("m1", 60.0, 600.0), Way("m2", 60.0, 600.0)), needs=(PieceNeed("bar", 2),)),
            RoutingStep("20", (Way("m2", 30.0),)),
        )
    )
    stock = StockedMaterial(500, format_instant(at(-1)), supplier="north", kanban=KanbanLoop(100, 4, 0.1, 20))
    base = Shop(
        {"o1": ProductionOrder("p", 100, due=format_instant(at(9)), customer="c")},
        {"p": routing},
        {"bar": stock},
        {},
        {},
        {"m1": "Mill 1", "m2": "Mill 2"},
        {},
        {},
        {},
        {},
    )
    return msgspec.structs.replace(base, **more)


def test_a_problem_is_made_of_registers_and_goes_on_from_the_plan() -> None:
    problem, faults = assemble(production(), T0, at(100))
    assert not faults
    assert [m.duration for m in problem.orders[0].operations[0].modes] == [6600 * 10**9] * 2
    plan = plan_of(problem)
    first = next(p for p in plan if p.operation == "10")
    happened = progress(plan, [], first.end - MINUTE, {first.machine: first.end + HOUR})
    assert [(p.operation, p.end) for p in happened.running] == [("10", first.end + HOUR + MINUTE)]
    later, _ = assemble(production(), first.end - MINUTE, at(100), plan, happened)
    assert later.fixed[0].started and later.materials[0].stock == 300
    over = progress(plan, [], first.end, {})
    last, _ = assemble(production(), first.end, at(100), plan, over)
    assert [s.id for s in last.orders[0].operations] == ["20"] and last.orders[0].operations[0].after == ()
    _, faults = assemble(production(routings={}), T0, at(100))
    assert faults[0].code == "schedule:routing-missing"


@pytest.mark.parametrize("seconds", [1e308, 1e9])
def test_work_without_an_end_is_told_and_the_other_orders_are_planned(seconds: float) -> None:
    slow = Routing((RoutingStep("10", (Way("m1", seconds),)),))
    shop = production()
    orders = {**shop.orders, "o2": ProductionOrder("slow", 1_000_000_000)}
    problem, faults = assemble(
        msgspec.structs.replace(shop, orders=orders, routings={**shop.routings, "slow": slow}), T0, at(100)
    )
    assert [(f.code, f.where) for f in faults] == [("schedule:lasts-too-long", "orders.o2")]
    assert "o2/10" in faults[0].message and faults[0].hint
    assert [o.id for o in problem.orders] == ["o1"]


def test_the_next_task_says_why_and_what_is_missing() -> None:
    problem, _ = assemble(production(), T0, at(100))
    plan = plan_of(problem)
    second = next(p for p in plan if p.operation == "20")
    task = next(t for t in next_tasks(problem, plan, second.machine, T0, 5) if t.operation == "20")
    assert any("promised to c" in line for line in task.because)
    assert any(line.startswith("10 before it is not done") for line in task.missing)


def test_kanban_oracle() -> None:
    assert kanban_cards(100, 4, 0.10, 20) == 22
    for bad in ((-1, 4, 0.1, 20), (100, 4, 0.1, 0), (float("nan"), 4, 0.1, 20)):
        with pytest.raises(InvalidInputError):
            kanban_cards(*bad)


def test_needs_are_covered_in_order_and_called_off_a_lead_time_before() -> None:
    made = production(
        materials={
            "bar": StockedMaterial(440, format_instant(T0), supplier="north", kanban=KanbanLoop(100, 4, 0.1, 20))
        }
    )
    problem, _ = assemble(made, T0, at(100))
    plan = plan_of(problem)
    need = requirements(problem, plan)
    assert [(n.material, n.amount, n.expected) for n in need] == [("bar", 200, need[0].at)]
    signal = pull_signals(problem, plan, made.materials)[0]
    assert (signal.cards, signal.amount, signal.containers, signal.supplier) == (22, 200, 10, "north")


def test_on_time_in_full_counts_neither_late_nor_short() -> None:
    def one(due: float, delivered: float, good: int) -> ProductionOrder:
        return ProductionOrder(
            "p", 10, due=format_instant(at(due)), delivered=format_instant(at(delivered)), delivered_quantity=good
        )

    orders = [one(5, 4, 10), one(5, 6, 10), one(5, 4, 9), one(500, 4, 10)]
    promises = promises_of_orders({str(n): o for n, o in enumerate(orders)})
    found = otif(promises[""], T0, at(100))
    assert (found.counted, found.kept, found.late, found.short, found.ratio) == (3, 1, 1, 1, 1 / 3)
    assert otif([], T0, at(1)).ratio is None


def test_a_supplier_is_judged_by_what_somebody_said_that_came() -> None:
    def announced(due: float, came: float | None, amount: int = 0, by: str = "") -> PlannedArrival:
        told = "" if came is None else format_instant(at(came))
        return PlannedArrival(format_instant(at(due)), 50, by, came=told, came_amount=amount)

    arrivals = (announced(2, 2, 50), announced(3, 4, 50), announced(4, 4, 49), announced(5, None))
    bar = StockedMaterial(0, format_instant(T0), supplier="north", arrivals=(*arrivals, announced(1, 0, 60, "south")))
    promises = promises_of_suppliers({"bar": bar})
    north, south = (otif(promises[name], T0, at(9)) for name in ("north", "south"))
    assert (north.counted, north.kept, north.late, north.short) == (3, 1, 1, 1), "what nobody has told of counts not"
    assert (south.counted, south.kept) == (1, 1)
    problem, _ = assemble(production(materials={"bar": bar}), at(6), at(100))
    material = next(m for m in problem.materials if m.id == "bar")
    assert (material.stock, material.arrivals) == (50 + 50 + 49 + 50 + 60, ())


def test_job_lists_have_the_fields_of_the_companion_specification() -> None:
    file = shared_data("opcua_nodesets") / "opc.ua.isa95-jobcontrol.nodeset2.xml.gz"
    text = gzip.decompress(file.read_bytes()).decode()

    def fields(name: str) -> dict[str, bool]:
        body = re.search(rf'<UADataType [^>]*BrowseName="1:{name}".*?</UADataType>', text, re.DOTALL)
        assert body is not None
        return {m[1]: "IsOptional" not in m[2] for m in re.finditer(r'<Field Name="(\w+)"([^>]*)>', body[0])}

    problem, _ = assemble(production(), T0, at(100))
    entry = job_list(problem, plan_of(problem), T0)[0]
    for name, part in (
        ("ISA95JobOrderAndStateDataType", entry),
        ("ISA95JobOrderDataType", entry["JobOrder"]),
        ("ISA95StateDataType", entry["State"][0]),
        ("ISA95WorkMasterDataType", entry["JobOrder"]["WorkMasterID"][0]),
        ("ISA95EquipmentDataType", entry["JobOrder"]["EquipmentRequirements"][0]),
        ("ISA95MaterialDataType", entry["JobOrder"]["MaterialRequirements"][0]),
        ("ISA95ParameterDataType", entry["JobOrder"]["JobOrderParameters"][1]),
    ):
        known = fields(name)
        assert part.keys() <= known.keys(), name
        assert {f for f, needed in known.items() if needed} <= part.keys(), name


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"start": at(1)}, "plan:wrong-duration"),
        ({"machine": "m9"}, "plan:wrong-machine-or-crew"),
        ({"crew": "x"}, "plan:wrong-machine-or-crew"),
        ({"start": at(-2), "end": at(-1)}, "plan:too-early"),
        ({"start": at(500), "end": at(501)}, "plan:beyond-calendar"),
        ({"setup": MINUTE, "start": T0 + MINUTE, "end": at(1) + MINUTE}, "plan:wrong-set-up"),
        ({"operation": "99"}, "plan:unknown-operation"),
    ],
)
def test_the_check_finds_what_is_wrong(change: dict[str, object], code: str) -> None:
    problem = shop(order("a", ("m1", 1)))
    good = plan_of(problem)
    assert not check_plan(problem, good)
    assert code in {f.code for f in check_plan(problem, [msgspec.structs.replace(good[0], **change)])}


def test_the_check_finds_what_is_wrong_between_operations() -> None:
    problem = shop(
        order("a", ("m1", 1), ("m1", 1)),
        materials=(Material("bar", stock=0, arrivals=(Arrival(at(9), 1),)),),
    )
    one, two = plan_of(problem)
    overlap = msgspec.structs.replace(two, start=one.start, end=one.end)
    found = {f.code for f in check_plan(problem, [one, overlap])}
    assert {"plan:machine-taken", "plan:too-early-for-routing"} <= found
    assert {f.code for f in check_plan(problem, [one])} == {"plan:not-planned"}
    assert "plan:planned-twice" in {f.code for f in check_plan(problem, [one, one, two])}
    needs = Order("a", (Operation("10", (Mode("m1", HOUR),), needs=(Need("bar", 1),)),))
    short = msgspec.structs.replace(problem, orders=(needs,))
    assert "plan:material-missing" in {f.code for f in check_plan(short, [one])}
    barred = msgspec.structs.replace(problem, machines=(Machine("m1", blocked=(Blocked(T0, at(1)),)),))
    assert "plan:blocked" in {f.code for f in check_plan(barred, [one, two])}
