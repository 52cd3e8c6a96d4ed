"""Transports of a production plan: made, changed, withdrawn; what was begun stays, and all is carried in time."""

from __future__ import annotations

import random

import msgspec

from servitwin.connectors.vda5050.answers import answer
from servitwin.connectors.vda5050.config import read_config
from servitwin.domain.fleet.scheduled import Move, ScheduleStations, moves_of, tasks_of
from servitwin.domain.fleet.transport import Task
from servitwin.domain.schedule.problem import Mode, Need, Operation, Order, Placement
from tests.unit.fleet.test_master import driven_well
from tests.unit.fleet.world import GRAPH, HALL, START, STATIONS, World

MINUTE = 60 * 10**9
WHERE = ScheduleStations("kivi", {"M3": "mill-3"}, store="store", finished="cell-2", lead_minutes=4)


def order(id: str = "K-1", after: tuple[str, ...] | None = None) -> Order:
    modes = (Mode("mill-1", 5 * MINUTE), Mode("mill-2", 5 * MINUTE), Mode("M3", 5 * MINUTE))
    steps = (
        Operation("10", modes, needs=(Need("bar", 8),)),
        Operation("20", (Mode("cell-1", 5 * MINUTE),), after=after),
    )
    return Order(id, steps, product="bracket", quantity=8)


def placed(machine: str, start: int, id: str = "K-1", gap: int = 3) -> list[Placement]:
    """Two operations of five minutes; ``start`` in minutes from the start of the world."""
    at = START + start * MINUTE
    then = at + (5 + gap) * MINUTE
    return [Placement(id, "10", machine, at, at + 5 * MINUTE), Placement(id, "20", "cell-1", then, then + 5 * MINUTE)]


def follow(world: World, moves: list[Move], revision: int = 1) -> int:
    return world.fleet.follow_schedule(moves, WHERE, revision, world.now)


def states(world: World) -> dict[str, str]:
    return {t.id: t.state for t in world.fleet.tasks.all()}


def test_a_plan_says_what_is_where_when() -> None:
    moves = moves_of([order()], placed("mill-1", 10))
    begin = START + 10 * MINUTE
    assert [(m.id, m.origin, m.target, m.ready, m.due) for m in moves] == [
        ("K-1/10", "", "mill-1", None, begin),
        ("K-1/20", "mill-1", "cell-1", begin + 5 * MINUTE, begin + 8 * MINUTE),
        ("K-1/20 away", "cell-1", "", begin + 13 * MINUTE, None),
    ]
    assert [m.load for m in moves] == ["8 bar for K-1", "8 bracket of K-1", "finished: 8 bracket of K-1"]
    known = STATIONS.__contains__
    tasks = tasks_of(moves, WHERE, known)
    assert [(t.origin, t.target) for t in tasks] == [("store", "mill-1"), ("mill-1", "cell-1"), ("cell-1", "cell-2")]
    assert [t.not_before for t in tasks] == [begin - 4 * MINUTE, begin + 5 * MINUTE, begin + 13 * MINUTE]
    assert {(t.order, t.operation) for t in tasks} == {("K-1", "10"), ("K-1", "20")}
    # A machine that stands elsewhere has no station: what goes there or comes from there is not the robots'.
    elsewhere = tasks_of(moves_of([order()], placed("press-9", 10)), WHERE, known)
    assert [t.id for t in elsewhere] == ["K-1/20 away"]
    assert tasks_of(moves, ScheduleStations("kivi"), known)[0].id == "K-1/20" and len(moves) == 3
    # Two operations that wait for nothing, one that waits for both: two loads come to it.
    both = msgspec.structs.replace(
        order(), operations=(*order().operations[:1], Operation("15", (Mode("M3", 1),), after=()),
                             Operation("20", (Mode("cell-1", 1),), after=("10", "15")))
    )  # fmt: skip
    spots = [*placed("mill-1", 10), Placement("K-1", "15", "M3", START, START + MINUTE)]
    assert [m.id for m in moves_of([both], spots)] == ["K-1/10", "K-1/20 from 10", "K-1/20 from 15", "K-1/20 away"]


def test_transports_are_carried_between_the_operations_they_serve() -> None:
    world = World(6, seed=21)
    orders = [order("K-1"), order("K-2")]
    spots = [*placed("mill-1", 6), *placed("M3", 7, "K-2")]
    assert follow(world, moves_of(orders, spots)) == 6
    world.run(60)
    assert set(states(world).values()) == {"waiting"}  # nothing's time has come
    world.run(1800, until=lambda: not world.open())
    tasks = {t.id: t for t in world.fleet.tasks.all()}
    assert set(states(world).values()) == {"done"}
    for t in tasks.values():
        assert t.started is not None and t.ended is not None and t.not_before is not None and t.due is not None
        assert t.not_before <= t.started and t.ended <= t.due, t
    driven_well(world)
    assert any("operation 20 of K-1" in e.text for e in world.events if e.kind == "task-given")
    # Told again, and after the master was killed, nothing is carried twice.
    world.restart_master()
    follow(world, moves_of(orders, spots))
    world.run(30)
    assert set(states(world).values()) == {"done"} and len(states(world)) == 6


def test_a_plan_published_anew_changes_what_was_not_begun_and_leaves_what_was() -> None:
    world = World(5, seed=22)
    world.run(5)
    orders = [order("K-1"), order("K-2"), order("K-3")]
    spots = [*placed("mill-1", 3), *placed("mill-2", 30, "K-2"), *placed("M3", 40, "K-3")]
    follow(world, moves_of(orders, spots))
    world.run(300, until=lambda: states(world)["K-1/10"] == "loaded")
    assert states(world)["K-1/10"] == "loaded"
    # K-1 goes to the other mill although its material is on board, K-2 is earlier on the third, K-3 is taken out.
    after = [*placed("mill-2", 9), *placed("M3", 20, "K-2")]
    follow(world, moves_of(orders[:2], after), 2)
    tasks = {t.id: t for t in world.fleet.tasks.all()}
    assert (tasks["K-1/10"].target, tasks["K-1/10"].state) == ("mill-1", "loaded")
    assert (tasks["K-1/20"].origin, tasks["K-2/10"].target) == ("mill-2", "mill-3")
    assert tasks["K-2/10"].due == START + 20 * MINUTE
    gone = [t for t in tasks.values() if t.order == "K-3"]
    assert len(gone) == 3 and {t.state for t in gone} == {"cancelled"} and all(t.withdrawn for t in gone)
    told = [e.text for e in world.fleet.events.kept if e.kind == "schedule"]
    assert told[-1] == "Plan 2 of kivi asks for 6 transports: 3 between other stations, 2 at another time, 3 withdrawn."
    # Its material comes to the mill it was on the way to, and is carried on from there.
    world.run(300, until=lambda: states(world)["K-1/10"] == "done")
    follow(world, moves_of(orders[:2], after), 2)
    on = {t.id: t for t in world.fleet.tasks.all()}["K-1/10 on"]
    assert (on.origin, on.target, on.due) == ("mill-1", "mill-2", START + 9 * MINUTE)
    # The plan takes K-3 back in: what was withdrawn is asked for again; what a person cancelled is not.
    world.fleet.cancel_task("K-2/20", "we carry it ourselves", world.now)
    follow(world, moves_of(orders, [*after, *placed("M3", 50, "K-3")]), 3)
    assert states(world)["K-3/10"] == "waiting" and states(world)["K-2/20"] == "cancelled"
    world.run(5000, until=lambda: not world.open())
    assert not world.open()
    driven_well(world)


def test_a_plan_that_changes_all_the_time_loses_and_doubles_nothing() -> None:
    rng = random.Random(5)
    world = World(6, seed=23)
    world.run(5)
    orders = [order(f"K-{i}") for i in range(4)]
    starts = {o.id: rng.randint(2, 12) for o in orders}
    machines = {o.id: rng.choice(["mill-1", "mill-2", "M3"]) for o in orders}
    for revision in range(12):
        chosen = rng.choice(orders).id
        machines[chosen], starts[chosen] = rng.choice(["mill-1", "mill-2", "M3"]), starts[chosen] + rng.randint(0, 2)
        spots = [p for o in orders for p in placed(machines[o.id], starts[o.id], o.id)]
        follow(world, moves_of(orders, spots), revision)
        world.run(60)
    for _ in range(40):
        follow(world, moves_of(orders, spots), revision)
        world.run(60)
    assert not world.open()
    driven_well(world)
    for o in orders:  # where the parts of each order have gone, step by step, up to the machine the plan names now
        done = [t for t in world.fleet.tasks.all() if t.order == o.id and t.operation == "10" and t.state == "done"]
        done.sort(key=lambda t: t.ended or 0)
        at = "store"
        for t in done:
            assert t.origin == at
            at = t.target
        assert not done or at == WHERE.stations.get(machines[o.id], machines[o.id])


def test_what_was_over_before_it_was_heard_of_is_not_asked_for() -> None:
    world = World(1)
    world.run(20 * 60)
    follow(world, moves_of([order()], placed("mill-1", 1)))
    assert states(world) == {}
    follow(world, moves_of([order()], placed("mill-1", 16)))
    assert set(states(world)) == {"K-1/20", "K-1/20 away"}


def test_the_connection_says_whose_plan_and_what_is_wrong_with_it() -> None:
    raw = {
        "map": msgspec.to_builtins(HALL),
        "fleet": "f",
        "robots": [{"twin": "a", "manufacturer": "m", "serial": "s"}],
        "schedule": {"party": "kivi", "stations": {"M3": "mill-3"}, "store": "store"},
    }
    config = read_config(raw)
    world = World(2)
    moves = [msgspec.to_builtins(m) for m in moves_of([order()], placed("M3", 20))]
    ask = {"do": "follow-schedule", "moves": moves, "revision": 4}
    assert answer(world.fleet, ask, world.now, 0.0, config) == {"answer": {"transports": 2}}
    shown = answer(world.fleet, {"do": "fleet"}, world.now, 0.0, config)["answer"]
    assert shown["planned"] == 2 and [t["order"] for t in shown["tasks"]] == ["K-1", "K-1"]
    without = msgspec.structs.replace(config, schedule=None)
    assert answer(world.fleet, ask, world.now, 0.0, without)["faults"][0]["code"] == "fleet:no-schedule"
    other = msgspec.structs.replace(config, steer=False)
    assert answer(world.fleet, ask, world.now, 0.0, other)["faults"][0]["code"] == "fleet:steered-elsewhere"
    from servitwin.connectors.vda5050.plugin import check

    wrong = {**raw, "steer": False, "schedule": {"party": "kivi", "store": "moon", "lead_minutes": -1}}
    assert [f.where for f in check(wrong)] == ["schedule.store", "schedule", "schedule.lead_minutes"]
    assert isinstance(world.fleet.tasks.find("K-1/10"), Task) and GRAPH.size > 0
