"""Robots of different speed: plans whose ways last several steps, assignment and arrival in seconds."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robot_speeds import goals_reached, warehouse
from servitwin.connectors.vda5050.answers import answer
from servitwin.connectors.vda5050.pace import Pace, Paces
from servitwin.domain.fleet.ahead import AheadPlanner, Coming
from servitwin.domain.fleet.distances import Distances, Travel
from servitwin.domain.fleet.plan_step import Mover, StepPlanner
from servitwin.domain.fleet.right_of_way import RightOfWay
from servitwin.domain.fleet.road_map import Graph, Place, RoadMap, Way, grid_map
from servitwin.domain.fleet.transport import Task, assign
from servitwin.domain.fleet_check import check_moves
from tests.unit.fleet.world import GRAPH, World

NS = 10**9
WAYS = {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}


def loops(rng: random.Random, wide: int, high: int) -> Graph:
    """A map in which every place lies on a circle, with ways of different length."""
    columns = [sum(rng.choice((1.0, 2.0, 3.0)) for _ in range(c)) for c in range(wide)]
    rows = [sum(rng.choice((1.0, 2.0, 3.0)) for _ in range(r)) for r in range(high)]
    gaps = {(c, r) for c in range(1, wide - 1) for r in range(1, high - 1) if rng.random() < 0.3}
    cells = {(c, r) for c in range(wide) for r in range(high)} - gaps
    places = tuple(Place(f"{c}-{r}", columns[c] + c, rows[r] + r) for c, r in sorted(cells))
    ways = tuple(
        Way(f"{c}-{r}_{x}-{y}", f"{c}-{r}", f"{x}-{y}")
        for c, r in sorted(cells)
        for x, y in ((c + 1, r), (c - 1, r), (c, r + 1), (c, r - 1))
        if (x, y) in cells
    )
    return Graph(RoadMap("m", places, ways))


def some_fleet(rng: random.Random, graph: Graph, share: float) -> tuple[list[int], list[Mover]]:
    at = rng.sample(range(graph.size), max(1, int(graph.size * share)))
    distances = Distances(graph)
    step = graph.step_m / distances.unit_m
    return at, [Mover(distances, step * rng.choice((1.0, 0.7, 0.4, 0.2))) for _ in at]


@given(st.integers(0, 100_000), st.integers(3, 6), st.integers(3, 6), st.floats(0.05, 0.5))
def test_no_conflict_whatever_the_speeds_and_lengths(seed: int, wide: int, high: int, share: float) -> None:
    rng = random.Random(seed)
    graph = loops(rng, wide, high)
    at, movers = some_fleet(rng, graph, share)
    planner = StepPlanner(Distances(graph), len(at), seed, rotation=False, branches=graph.branches())
    planner.movers = movers
    goals = [rng.randrange(graph.size) for _ in at]
    held = [[(graph.ids[v],)] for v in at]
    for _ in range(60):
        at = planner.step(at, goals)
        for i, v in enumerate(at):
            way = planner.under_way.get(i)
            behind = tuple(graph.ids[p] for p, _ in way.behind) if way is not None else ()
            held[i].append((*behind, graph.ids[v]))
            if v == goals[i] and way is None:
                goals[i] = rng.randrange(graph.size)
    ids = graph.index
    least = lambda i, a, b: max(1, round((graph.cost or {}).get((ids[a], ids[b]), 1) / movers[i].reach))  # noqa: E731
    assert check_moves(held, {(w.start, w.end) for w in graph.road_map.ways}, least) == []


@given(st.integers(0, 100_000), st.integers(3, 6), st.integers(3, 6))
def test_all_arrive_whatever_the_speeds_and_lengths(seed: int, wide: int, high: int) -> None:
    """With plans made anew, places released, and robots that are late at random: nobody waits for ever."""
    rng = random.Random(seed)
    graph = loops(rng, wide, high)
    count = max(1, min(graph.size // 3, 6))
    starts, ends = rng.sample(range(graph.size), count), rng.sample(range(graph.size), count)
    paces = {f"r{i}": rng.choice((1.5, 1.2, 0.8, 0.4, 0.2)) for i in range(count)}
    goals = dict(zip(paces, ends, strict=True))
    right, planner = RightOfWay(), AheadPlanner(graph, seed)
    for robot, place in zip(paces, starts, strict=True):
        right.take(robot, [place])
    left = dict.fromkeys(paces, 0.0)  # seconds to the next place held
    missing = set(paces)
    for _ in range(4000):
        for robot, pace in paces.items():
            held = right.held[robot]
            if len(held) == 1:
                left[robot] = 0.0
            elif left[robot] <= 0.0:
                left[robot] = graph.length[held[0], held[1]] / pace * rng.uniform(0.8, 1.6)
            left[robot] -= 0.5
            if len(held) > 1 and left[robot] <= 0.0:
                right.left(robot, held[1])
            if right.held[robot][0] == goals[robot]:
                missing.discard(robot)
        if not missing:
            break
        coming = {}
        for robot, held in right.held.items():
            if len(held) > 1:
                ways = [graph.length[a, b] / paces[robot] for a, b in itertools.pairwise(held)]
                behind = tuple((p, sum(ways[: n + 1])) for n, p in enumerate(held[:-1]))
                coming[robot] = Coming(sum(ways), behind)
        at = {r: h[-1] for r, h in right.held.items()}
        right.release(planner.plan(at, goals, (), 10, paces=paces, coming=coming), ahead=3)
        places = [p for held in right.held.values() for p in held]
        assert len(places) == len(set(places))
    assert not missing


def test_the_checker_of_long_moves_finds_each_kind() -> None:
    def kinds(*held: list[tuple[str, ...]], least: int = 1, closed: tuple[str, ...] = ()) -> list[str]:
        return [c.kind for c in check_moves(held, WAYS, lambda i, a, b: least, closed)]

    assert kinds([("a",), ("a", "b"), ("b",)], [("c",), ("c",), ("c",)], least=2) == []
    assert kinds([("a",), ("a", "b"), ("b",)], least=3) == ["speed"]
    assert kinds([("a",), ("b",)], [("b",), ("c",)]) == []
    assert kinds([("a",), ("a", "b"), ("b",)], [("b",), ("b", "c"), ("c",)]) == ["place"]
    assert "pass" in kinds([("a",), ("a", "b"), ("b",)], [("b",), ("b", "a"), ("a",)])
    assert kinds([("a",), ("c",)]) == ["way"]
    assert kinds([("a",), ("a", "b"), ("c",)], least=0) == ["way"]
    assert kinds([("a",), ("b",)], closed=("b",)) == ["closed"]


def test_who_is_behind_a_slow_robot_takes_the_way_round_it() -> None:
    graph = Graph(grid_map([".......", ".@@@@@.", ".......", ".@@@@@.", "......."]))
    at = {"slow": graph.index["1-2"], "fast": graph.index["0-2"]}
    goals = {"slow": graph.index["6-2"], "fast": graph.index["6-1"]}
    paces = {"slow": 0.1, "fast": 1.0}
    coming = {"slow": Coming(8.0, ((graph.index["1-2"], 8.0),))}
    at["slow"] = graph.index["2-2"]
    known = AheadPlanner(graph, 1).plan(at, goals, (), 10, paces=paces, coming=coming)
    equal = AheadPlanner(graph, 1).plan(at, goals, (), 10)
    row = lambda path: {graph.ids[p].split("-")[1] for p in path}  # noqa: E731
    assert row(equal["fast"][:5]) == {"2"} and "2" not in row(known["fast"][:5])
    assert known["slow"][:8] == [graph.index["2-2"]] * 8  # it is on its way for so long


def test_lengths_and_limits_of_ways_count_in_seconds() -> None:
    places = (Place("a", 0, 0), Place("b", 10, 0), Place("c", 0, 12), Place("d", 10, 12))
    ways = (Way("ab", "a", "b", speed=0.25), Way("ac", "a", "c"), Way("cd", "c", "d"), Way("db", "d", "b"))
    graph = Graph(RoadMap("m", places, ways))
    travel = Travel(graph)
    a, b = graph.index["a"], graph.index["b"]
    assert travel.seconds(0.2, a, b) == pytest.approx(50)  # slower than the limit: straight on
    assert travel.seconds(2.0, a, b) == pytest.approx(17)  # 34 m round are sooner than 40 s at the limit
    assert math.isinf(travel.seconds(1.0, b, a))


def test_a_task_goes_to_the_robot_that_is_there_soonest() -> None:
    tasks = [Task("t", "x", "y")]
    place = {"x": 7, "y": 8}.__getitem__
    seconds = {"near": 40.0, "quick": 15.0}
    given, none = assign(tasks, {"near": 1, "quick": 2}, place, lambda a, b: True, lambda r, p: seconds[r])
    assert given == {"quick": tasks[0]} and none == []
    given, none = assign(tasks, {"near": 1}, place, lambda a, b: b != 8, lambda r, p: 1.0)
    assert given == {} and none == tasks
    world = World(2, seed=3, speeds=[0.3, 1.2])
    for twin, place_id in (("agv-0", "3-3"), ("agv-1", "9-3")):
        robot, at = world.robots[twin], GRAPH.index[place_id]
        robot.last_node, robot.x, robot.y = place_id, GRAPH.x[at], GRAPH.y[at]
    world.run(2)
    world.fleet.add_task(Task("t", "mill-1", "store"), world.now)
    world.run(2)
    assert world.fleet.tasks.one("t").robot == "agv-1"


def test_a_pace_is_measured_only_where_nothing_holds_the_robot_up() -> None:
    paces = Paces(2.0)
    assert paces.of("r") == 1.0
    paces.said("r", 1.5)
    assert paces.of("r") == 1.5 and paces.of("another") == 1.5
    for n in range(60):
        paces.passed("r", n * 4 * NS, 2.0, free=True, works=False)
    assert paces.of("r") == pytest.approx(0.5, rel=0.01) and paces.known["r"].ways == 59
    paces.stopped("r")
    paces.passed("r", 10_000 * NS, 2.0, free=True, works=True)
    assert paces.of("r") == pytest.approx(0.5, rel=0.01)
    paces.worked("r", 10_015 * NS)
    assert paces.work_s == pytest.approx(7.0)
    again = Paces(2.0, {"r": Pace(1.5, 0.5, 59)})
    again.said("r", 1.5)
    assert again.of("r") == 0.5
    again.said("r", 0.9)  # another robot under its name: what was measured says nothing of it
    assert again.of("r") == 0.9


def test_arrivals_are_foretold_and_lateness_is_told_once() -> None:
    world = World(4, seed=5, speeds=[0.4])
    for robot in world.robots.values():
        robot.battery = 90
    first: dict[str, tuple[int, int]] = {}
    while world.t < 1500:
        world.ask(max(0, 6 - len(world.open())))
        world.run(5)
        for twin, desk in world.fleet.desks.items():
            task = world.fleet.tasks.of(twin)
            if task is not None and task.state == "assigned" and desk.arrives is not None and world.t > 200:
                first.setdefault(task.id, (world.now, desk.arrives))
    wrong = []
    for id, (_, foretold) in first.items():
        task = world.fleet.tasks.one(id)
        if task.loaded is not None:
            wrong.append(abs((task.loaded - foretold) / NS - world.fleet.paces.work_s))
    assert len(wrong) > 60
    assert statistics.median(wrong) < 8.0 and statistics.quantiles(wrong, n=10)[-1] < 40.0
    assert world.fleet.paces.of("agv-0") == pytest.approx(0.38, abs=0.05)
    world.fleet.add_task(Task("soon", "mill-1", "store", priority=50, due=world.now - 60 * NS), world.now)
    world.run(200, until=lambda: world.fleet.tasks.one("soon").state == "loaded")
    world.run(2)
    late = [e for e in world.events if e.kind == "late" and "store" in e.text]
    assert len(late) == 1 and "min late" in late[0].text
    shown = answer(world.fleet, {"do": "fleet"}, world.now, world.t)["answer"]
    task = next(t for t in shown["tasks"] if t["id"] == "soon")
    robot = next(r for r in shown["robots"] if r["robot"] == task["robot"])
    assert task["expected"] > world.now and robot["pace"] > 0 and robot["speed_max"] in (0.4, 1.2)


@pytest.mark.parametrize("slow", [pytest.param(1, marks=pytest.mark.long), 3])
def test_more_goals_are_reached_when_the_plan_knows_the_speeds(slow: int) -> None:
    graph = warehouse(4, 3, 5)
    known = [goals_reached(graph, 12 - slow, slow, 300.0, seed, equal=False) for seed in range(5)]
    equal = [goals_reached(graph, 12 - slow, slow, 300.0, seed, equal=True) for seed in range(5)]
    assert sum(c for _, c in (*known, *equal)) == 0
    assert sum(g for g, _ in known) > sum(g for g, _ in equal) * 1.02


def test_one_way_never_changes_a_pace_much_and_a_factsheet_of_nearly_nothing_does_not_hold_for_ever() -> None:
    paces = Paces(2.0)
    paces.said("r", 1.0)
    paces.passed("r", 0, 2.0, free=True, works=False)
    paces.passed("r", 3600 * NS, 2.0, free=True, works=False)  # an hour for two metres: its clock has jumped
    assert paces.of("r") > 0.8
    paces.said("crawler", 0.00001)
    for n in range(80):
        paces.passed("crawler", n * 2 * NS, 2.0, free=True, works=False)
    assert paces.of("crawler") == pytest.approx(1.0, rel=0.02)


def test_a_way_with_a_limit_says_nothing_of_a_robots_pace() -> None:
    places = [Place(str(n), float(n), 0.0) for n in range(4)]
    graph = Graph(
        RoadMap("m", tuple(places), tuple(Way(f"w{n}", str(n), str(n + 1), 0.3 if n else 0.0) for n in range(3)))
    )
    assert [graph.limited(n, n + 1, 1.2) for n in range(3)] == [False, True, True]
    assert not graph.limited(1, 2, 0.2), "who is slower than the limit does not notice it"


def test_a_factsheet_that_was_lost_is_asked_for_and_one_that_does_not_exist_only_twice() -> None:
    world = World(3, speeds=(0.5, 0.8), sheets=False)
    world.robots["agv-2"].faults.add("no factsheet")
    world.run(10)
    assert not any(p.says for p in world.fleet.paces.known.values())
    world.run(120)
    assert [world.fleet.paces.known[f"agv-{i}"].says for i in (0, 1)] == [0.5, 0.8]
    asked = {twin: n for (twin, what), n in world.said.items() if what == "factsheetRequest"}
    assert asked == {"agv-0": 1, "agv-1": 1, "agv-2": 2}
    known = World(1)
    known.run(60)
    assert ("agv-0", "factsheetRequest") not in known.said
