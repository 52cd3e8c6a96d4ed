"""Robots of different speed on one map: goals reached when the plan knows the speeds, against plans of equal steps.

``python benchmarks/robot_speeds.py [SECONDS]``. Planner and right of way are those of the master; robots drive as fast
as they are, whatever the plan thinks of them, and the independent checker follows them. The peer is the same planner
that takes every way as one step for everybody, and looks from where robots are released to.
"""

from __future__ import annotations

import itertools
import random
import statistics
import sys
from collections.abc import Mapping, Sequence

import msgspec

from servitwin.domain.fleet.ahead import AheadPlanner, Coming
from servitwin.domain.fleet.right_of_way import RightOfWay
from servitwin.domain.fleet.road_map import Graph, grid_map
from servitwin.domain.fleet_check import DrivenCheck
from servitwin.domain.instant import NS

TICK_S, STEPS, AHEAD = 0.5, 10, 3
FAST_M_S = 1.2
CELL_M = 2.0
SEEDS = 8


def warehouse(racks: int, rows: int, long: int) -> Graph:
    """Racks of cells with aisles of one lane between them."""
    line = "." * (racks * (long + 1) + 1)
    shelf = "." + ("@" * long + ".") * racks
    return Graph(grid_map([line, *([shelf, line] * rows)], cell_m=CELL_M))


class Floor(msgspec.Struct):
    """Robots that drive where they were released to, each with its own speed."""

    graph: Graph
    speeds: Mapping[str, float]
    equal: bool
    rng: random.Random
    planner: AheadPlanner
    right: RightOfWay
    check: DrivenCheck
    goals: dict[str, int]
    along: dict[str, float]  # metres driven from the first place held towards the second
    clock: float = 0.0
    reached: int = 0
    conflicts: int = 0

    def tick(self) -> None:
        self.clock += TICK_S
        for robot, speed in self.speeds.items():
            self._drive(robot, speed * TICK_S)
            if self.right.held[robot] == [self.goals[robot]]:
                self.reached += 1
                self.goals[robot] = self._another()
            self._look(robot)
        self._plan()

    def _another(self) -> int:
        taken = set(self.goals.values())
        while (place := self.rng.randrange(self.graph.size)) in taken:
            pass
        return place

    def _drive(self, robot: str, metres: float) -> None:
        self.along[robot] += metres
        while len(held := self.right.held[robot]) > 1 and self.along[robot] >= self.graph.length[held[0], held[1]]:
            self.along[robot] -= self.graph.length[held[0], held[1]]
            self.right.left(robot, held[1])
        if len(held) == 1:
            self.along[robot] = 0.0

    def _look(self, robot: str) -> None:
        held, g = self.right.held[robot], self.graph
        a, b = held[0], held[min(1, len(held) - 1)]
        share = self.along[robot] / g.length[a, b] if a != b else 0.0
        x, y = g.x[a] + share * (g.x[b] - g.x[a]), g.y[a] + share * (g.y[b] - g.y[a])
        ahead = g.ids[b] if share else ""
        self.conflicts += len(self.check.seen(robot, int(self.clock * NS), g.ids[a], x, y, heading_for=ahead))

    def _plan(self) -> None:
        held = self.right.held
        at = {r: places[-1] for r, places in held.items()}
        if self.equal:
            given = self.right.release(self.planner.plan(at, self.goals, (), STEPS), ahead=AHEAD)
        else:
            coming = {r: self._coming(r, places) for r, places in held.items() if len(places) > 1}
            plan = self.planner.plan(at, self.goals, (), STEPS, paces=self.speeds, coming=coming)
            fewer = {r: max(2, round(AHEAD * s / FAST_M_S)) for r, s in self.speeds.items()}
            given = self.right.release(plan, ahead=AHEAD, fewer=fewer)
        assert all(given.values())

    def _coming(self, robot: str, held: Sequence[int]) -> Coming:
        metres, behind = -self.along[robot], []
        for a, b in itertools.pairwise(held):
            metres += self.graph.length[a, b]
            behind.append((a, metres / self.speeds[robot]))
        return Coming(metres / self.speeds[robot], tuple(behind))


def goals_reached(graph: Graph, fast: int, slow: int, seconds: float, seed: int, *, equal: bool) -> tuple[int, int]:
    """Goals reached and conflicts found; slow robots drive at a third of the others' speed."""
    rng = random.Random(seed)
    speeds = {f"r{i}": FAST_M_S / (3 if i < slow else 1) for i in range(fast + slow)}
    places = rng.sample(range(graph.size), 2 * len(speeds))
    right = RightOfWay()
    for robot, place in zip(speeds, places, strict=False):
        right.take(robot, [place])
    check = DrivenCheck({(w.start, w.end) for w in graph.road_map.ways}, FAST_M_S, 0.35 * CELL_M)
    goals = dict(zip(speeds, places[len(speeds) :], strict=True))
    floor = Floor(graph, speeds, equal, rng, AheadPlanner(graph, seed), right, check, goals, dict.fromkeys(speeds, 0.0))
    while floor.clock < seconds:
        floor.tick()
    return floor.reached, floor.conflicts


def run(seconds: float = 600.0) -> bool:
    """Print the table; whether no plan had a conflict and speeds that are known reached more goals."""
    print(f"{SEEDS} seeds, {seconds:.0f} s each; slow robots drive at a third of the others' speed\n")
    heads = ("map", "places", "robots", "slow", "goals, equal steps", "goals, speeds known", "more", "conflicts")
    print(f"| {' | '.join(heads)} |")
    print("| --- " * len(heads) + "|")
    good = True
    for name, graph, fast, slow in (
        ("hall of 4 x 3 racks", warehouse(4, 3, 5), 11, 1),
        ("the same", warehouse(4, 3, 5), 9, 3),
        ("warehouse of 8 x 6 racks", warehouse(8, 6, 6), 36, 4),
    ):
        equal = [goals_reached(graph, fast, slow, seconds, s, equal=True) for s in range(SEEDS)]
        known = [goals_reached(graph, fast, slow, seconds, s, equal=False) for s in range(SEEDS)]
        a, b = statistics.fmean(g for g, _ in equal), statistics.fmean(g for g, _ in known)
        conflicts = sum(c for _, c in (*equal, *known))
        good &= conflicts == 0 and b > a
        more = f"{(b / a - 1) * 100:+.0f} %"
        print(
            f"| {name} | {graph.size} | {fast + slow} | {slow} | {a:.0f} | {b:.0f} | {more} | {conflicts} |", flush=True
        )
    return good


if __name__ == "__main__":
    sys.exit(0 if run(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0) else 1)
