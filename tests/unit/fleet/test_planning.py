"""Plans in steps have no conflict, checked by code that shares nothing with the planner."""

from __future__ import annotations

import heapq
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.fleet.ahead import AheadPlanner
from servitwin.domain.fleet.distances import FAR, Distances
from servitwin.domain.fleet.plan_step import StepPlanner
from servitwin.domain.fleet.right_of_way import RightOfWay
from servitwin.domain.fleet.road_map import Graph, Place, RoadMap, Way, grid_map
from servitwin.domain.fleet_check import DrivenCheck, check_steps
from servitwin.formats.movingai import read_map, read_scenario
from tests.conftest import shared_data

NS = 10**9


def drive(
    graph: Graph, at: list[int], goals: list[int], steps: int, *, rotation: bool, seed: int = 1
) -> tuple[list[list[str]], int]:
    """Paths of a lifelong run, and how many goals were reached; who arrives gets another goal."""
    rng = random.Random(seed)
    planner = StepPlanner(Distances(graph), len(at), seed, rotation=rotation, branches=graph.branches())
    paths, reached = [[graph.ids[p]] for p in at], 0
    for _ in range(steps):
        at = planner.step(at, goals)
        for i, place in enumerate(at):
            paths[i].append(graph.ids[place])
            if place == goals[i]:
                goals[i] = rng.randrange(graph.size)
                reached += 1
    return paths, reached


def ways(graph: Graph) -> set[tuple[str, str]]:
    return {(w.start, w.end) for w in graph.road_map.ways}


@pytest.mark.parametrize("rotation", [True, False])
def test_hundred_robots_in_the_real_warehouse(rotation: bool) -> None:
    data = shared_data("mapf")
    graph = Graph(read_map((data / "maps" / "warehouse-10-20-10-2-1.map").read_text()))
    assert graph.size == 5699
    scenario = read_scenario((data / "scen_coords" / "warehouse-10-20-10-2-1-random-1.scen").read_text())[:100]
    at = [graph.index[f"{c}-{r}"] for (c, r), _ in scenario]
    goals = [graph.index[f"{c}-{r}"] for _, (c, r) in scenario]
    began = time.process_time()
    paths, reached = drive(graph, at, goals, 150, rotation=rotation)
    assert (time.process_time() - began) / 150 < 0.05
    assert check_steps(paths, ways(graph)) == []
    assert reached > 60


def test_every_goal_of_an_official_scenario_is_reached() -> None:
    data = shared_data("mapf")
    graph = Graph(read_map((data / "maps" / "random-32-32-20.map").read_text()))
    scenario = read_scenario((data / "scen_official" / "random-32-32-20-random-1.scen").read_text())[:80]
    at = [graph.index[f"{c}-{r}"] for (c, r), _ in scenario]
    goals = [graph.index[f"{c}-{r}"] for _, (c, r) in scenario]
    planner = StepPlanner(Distances(graph), len(at), 1, branches=graph.branches())
    missing = set(range(len(at)))
    for _ in range(600):
        at = planner.step(at, goals)
        missing -= {i for i, p in enumerate(at) if p == goals[i]}
        if not missing:
            break
    assert not missing


@given(st.integers(0, 10_000), st.integers(4, 9), st.integers(4, 9), st.integers(1, 40), st.booleans())
def test_no_conflict_on_any_map(seed: int, wide: int, high: int, share: int, rotation: bool) -> None:
    rng = random.Random(seed)
    rows = ["".join("@" if rng.random() < 0.2 else "." for _ in range(wide)) for _ in range(high)]
    graph = Graph(grid_map(rows))
    count = max(1, graph.size * share // 100)
    if graph.size < 2:
        return
    at = rng.sample(range(graph.size), count)
    goals = [rng.randrange(graph.size) for _ in at]
    paths, _ = drive(graph, at, goals, 25, rotation=rotation, seed=seed)
    assert check_steps(paths, ways(graph)) == []


@given(st.integers(0, 10_000))
def test_without_rotation_nobody_waits_in_a_circle(seed: int) -> None:
    rng = random.Random(seed)
    graph = Graph(grid_map(["....", ".@@.", "...."]))
    at = rng.sample(range(graph.size), 8)
    planner = StepPlanner(Distances(graph), 8, seed, rotation=False)
    goals = [rng.randrange(graph.size) for _ in at]
    for _ in range(10):
        following = planner.step(at, goals)
        moves = {a: b for a, b in zip(at, following, strict=True) if a != b}
        for start, first in moves.items():
            place, seen = first, {start}
            while place in moves and place not in seen:
                seen.add(place)
                place = moves[place]
            assert place not in moves
        at = following


@given(st.integers(0, 10_000))
def test_distances_equal_dijkstra_of_another_hand(seed: int) -> None:
    rng = random.Random(seed)
    places = tuple(Place(f"p{i}", rng.uniform(0, 20), rng.uniform(0, 20)) for i in range(12))
    pairs = {(rng.randrange(12), rng.randrange(12)) for _ in range(30)}
    road_map = RoadMap("m", places, tuple(Way(f"w{a}-{b}", f"p{a}", f"p{b}") for a, b in sorted(pairs) if a != b))
    graph = Graph(road_map)
    if graph.cost is None:
        return
    closed = frozenset(rng.sample(range(12), 2))
    goal = rng.choice([i for i in range(12) if i not in closed])
    table = Distances(graph, closed).to(goal)
    for start in range(12):
        if start in closed:
            continue
        best = {start: 0}
        heap = [(0, start)]
        while heap:
            far, v = heapq.heappop(heap)
            for w in graph.out[v]:
                if w not in closed and far + graph.cost[v, w] < best.get(w, FAR):
                    best[w] = far + graph.cost[v, w]
                    heapq.heappush(heap, (best[w], w))
        assert table[start] == best.get(goal, FAR)


def test_two_robots_in_a_dead_end_take_turns() -> None:
    graph = Graph(grid_map(["....", ".@@.", "....", "@@.@", "@@.@"]))
    branch = graph.branches()
    inside = [graph.index["2-3"], graph.index["2-4"]]
    assert branch[inside[0]] == branch[inside[1]] >= 0 and branch[graph.index["0-0"]] == -1
    at, goals = {"a": inside[1], "b": graph.index["2-2"]}, {"a": graph.index["0-0"], "b": inside[1]}
    planner = AheadPlanner(graph, 1)
    for _ in range(30):
        plan = planner.plan(at, goals, (), 1)
        at = {r: (p[0] if p else at[r]) for r, p in plan.items()}
        assert len(set(at.values())) == 2
        if at["b"] == goals["b"]:
            break
    assert at["b"] == goals["b"]


def test_regions_and_places_that_cannot_be_reached() -> None:
    graph = Graph(grid_map([".@.", "@@.", "..."]))
    region = graph.regions()
    assert region[graph.index["0-0"]] != region[graph.index["2-0"]]
    assert len({region[graph.index[p]] for p in ("2-0", "2-1", "2-2", "0-2")}) == 1
    assert Distances(graph).to(graph.index["0-0"])[graph.index["2-2"]] == FAR
    one_way = Graph(RoadMap("m", (Place("a", 0, 0), Place("b", 1, 0)), (Way("w", "a", "b"),)))
    assert len(set(one_way.regions())) == 2


def test_right_of_way_lets_nobody_pass_before_his_turn() -> None:
    right = RightOfWay()
    right.take("a", [0])
    right.take("b", [1])
    plan = {"a": [1, 2, 3], "b": [5, 6, 7]}
    assert right.release(plan, ahead=2) == {"b": [5, 6]}  # a has to wait until b has left 1
    assert right.left("b", 5) == [1]
    assert right.release({"a": [1, 2, 3], "b": [6, 7]}, ahead=2)["a"] == [1, 2]
    assert right.take("c", [2, 9]) == [2] and right.holder(2) == "a"
    assert right.shorten("a", 1) == [0, 2] and right.holder(2) is None
    # who comes second to a place waits for the first, although nobody stands there yet
    late = RightOfWay()
    late.take("x", [10])
    late.take("y", [11])
    late.take("z", [12])
    assert late.release({"x": [12, 20], "y": [11, 20]}, ahead=3) == {}
    with pytest.raises(ValueError, match="held by"):
        late.extend("x", 12)


def test_the_checker_finds_each_kind_of_conflict() -> None:
    ways = {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}
    kinds = lambda *paths, **more: [c.kind for c in check_steps(paths, ways, **more)]  # noqa: E731
    assert kinds(["a", "b"], ["c", "b"]) == ["place"]
    assert kinds(["a", "b"], ["b", "a"]) == ["pass"]
    assert kinds(["a", "c"]) == ["way"]
    assert kinds(["a", "b"], closed={"b"}) == ["closed"]
    assert kinds(["a", "b"], ["b", "c"]) == []


def test_the_checker_of_what_was_driven_finds_each_kind_once() -> None:
    ways = {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}
    check = DrivenCheck(ways, fastest=2.0, nearest=0.7)
    assert check.seen("r", 0, "a", 0, 0) == [] and check.seen("s", 0, "c", 4, 0) == []
    assert [c.kind for c in check.seen("r", NS, "b", 2, 0)] == []
    assert [c.kind for c in check.seen("s", NS, "c", 2.3, 0)] == ["distance"]
    assert check.seen("s", 2 * NS, "c", 2.3, 0) == []  # told already
    assert [c.kind for c in check.seen("s", 3 * NS, "a", 12, 0)] == ["way", "speed"]
    assert [c.kind for c in check.seen("r", 3 * NS, "c", 4, 0, closed={"c"})] == ["closed"]
    assert check.seen("r", 2 * NS, "a", 0, 0) == []  # late: it says nothing of now
    other = DrivenCheck(ways, 2.0, 0.7)
    other.seen("r", 0, "a", 0, 0, heading_for="b")
    assert [c.kind for c in other.seen("s", 0, "b", 2, 0, heading_for="a")] == ["pass"]
    assert [c.kind for c in other.seen("t", NS, "c", 4, 0)] == []
    assert [c.kind for c in other.seen("u", NS, "c", 5, 0)] == ["place"]
