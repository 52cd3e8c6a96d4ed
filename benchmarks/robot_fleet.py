"""Routes of robots: time of a planning step and throughput on the official warehouse, against a simple planner.

``python benchmarks/robot_fleet.py [STEPS]``. Every plan is checked by the independent checker. The peer is what is
often built first: each robot plans alone, in order, through a table of reserved places and moments (space-time A*,
windowed "cooperative A*", Silver 2005), and plans anew every few steps.
"""

from __future__ import annotations

import heapq
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from servitwin.domain.fleet.distances import FAR, Distances
from servitwin.domain.fleet.plan_step import Mover, StepPlanner
from servitwin.domain.fleet.road_map import Graph
from servitwin.domain.fleet_check import check_moves, check_steps
from servitwin.formats.movingai import read_map, read_scenario

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SERVITWIN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "mapf"
MAP = "warehouse-10-20-10-2-1"
WINDOW, AGAIN = 16, 5  # steps that the peer plans ahead, and after which it plans anew
Step = Callable[[list[int], list[int]], list[int]]


class Cooperative:
    """The peer: windowed cooperative A* with true distances as heuristic."""

    def __init__(self, distances: Distances, count: int) -> None:
        self.distances = distances
        self.count = count
        self.paths: list[list[int]] = []
        self.age = AGAIN
        self.rng = random.Random(1)

    def step(self, at: list[int], goals: list[int]) -> list[int]:
        if self.age >= AGAIN:
            self.plan(at, goals)
            self.age = 0
        self.age += 1
        return [p[min(self.age, len(p) - 1)] for p in self.paths]

    def plan(self, at: list[int], goals: list[int]) -> None:
        order = list(range(self.count))
        for _ in range(20):  # another order where somebody finds no way at all
            self.rng.shuffle(order)
            taken: set[tuple[int, int]] = set()
            moves: set[tuple[int, int, int]] = set()
            self.paths = [[] for _ in range(self.count)]
            for n, i in enumerate(order):
                later = {at[j] for j in order[n + 1 :]}
                path = self.search(at[i], goals[i], taken, moves, later)
                if path is None:
                    break
                self.paths[i] = path
                for t, v in enumerate(path):
                    taken.add((v, t))
                    if t:
                        moves.add((path[t - 1], v, t))
            else:
                return
            order.remove(i)
            order.insert(0, i)
        self.paths = [[v] * (WINDOW + 1) for v in at]  # nobody moves until the next plan

    def search(
        self, start: int, goal: int, taken: set[tuple[int, int]], moves: set[tuple[int, int, int]], later: set[int]
    ) -> list[int] | None:
        far = self.distances.to(goal)
        heap = [(far[start], 0, start, 0)]
        came: dict[tuple[int, int], tuple[int, int] | None] = {(start, 0): None}
        count = 0
        while heap:
            _, _, v, t = heapq.heappop(heap)
            if t == WINDOW:
                path, at = [], (v, t)
                while at is not None:
                    path.append(at[0])
                    at = came[at]
                return path[::-1]
            for w in (*self.distances.graph.out[v], v):
                if (w, t + 1) in came or (w, t + 1) in taken or (w, v, t + 1) in moves:
                    continue
                if t == 0 and w != v and w in later:
                    continue  # somebody who plans later stands there still and might not get away
                if far[w] >= FAR:
                    continue
                came[w, t + 1] = (v, t)
                count += 1
                heapq.heappush(heap, (t + 1 + far[w], count, w, t + 1))
        return None


def lifelong(graph: Graph, step: Step, distances: Distances, count: int, steps: int) -> tuple[list[float], int, int]:
    """Times of each step (s), goals reached, conflicts found; who arrives gets another goal at random."""
    pairs = read_scenario((DATA / "scen_coords" / f"{MAP}-random-1.scen").read_text())[:count]
    at = [graph.index[f"{c}-{r}"] for (c, r), _ in pairs]
    goals = [graph.index[f"{c}-{r}"] for _, (c, r) in pairs]
    for goal in goals:
        distances.to(goal)
    rng = random.Random(3)
    paths, times, reached = [[graph.ids[v]] for v in at], [], 0
    for _ in range(steps):
        began = time.perf_counter()
        at = step(at, goals)
        times.append(time.perf_counter() - began)
        for i, v in enumerate(at):
            paths[i].append(graph.ids[v])
            if v == goals[i]:
                reached += 1
                goals[i] = rng.randrange(graph.size)
    found = check_steps(paths, {(w.start, w.end) for w in graph.road_map.ways})
    return times, reached, len(found)


def mixed(graph: Graph, count: int, steps: int) -> tuple[list[float], int, int]:
    """As :func:`lifelong` of a fleet of which every tenth robot drives at a third of the others' speed."""
    distances = Distances(graph)
    planner = StepPlanner(distances, count, 1, rotation=False, branches=graph.branches())
    planner.movers = [Mover(distances, 1 / 3 if i % 10 == 0 else 1.0) for i in range(count)]
    pairs = read_scenario((DATA / "scen_coords" / f"{MAP}-random-1.scen").read_text())[:count]
    at = [graph.index[f"{c}-{r}"] for (c, r), _ in pairs]
    goals = [graph.index[f"{c}-{r}"] for _, (c, r) in pairs]
    for goal in goals:
        distances.to(goal)
    rng = random.Random(3)
    held, times, reached = [[(graph.ids[v],)] for v in at], [], 0
    for _ in range(steps):
        began = time.perf_counter()
        at = planner.step(at, goals)
        times.append(time.perf_counter() - began)
        for i, v in enumerate(at):
            way = planner.under_way.get(i)
            behind = tuple(graph.ids[p] for p, _ in way.behind) if way is not None else ()
            held[i].append((*behind, graph.ids[v]))
            if v == goals[i] and way is None:
                reached += 1
                goals[i] = rng.randrange(graph.size)
    ways = {(w.start, w.end) for w in graph.road_map.ways}
    return times, reached, len(check_moves(held, ways, lambda i, a, b: 3 if i % 10 == 0 else 1))


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def run(steps: int = 200) -> bool:
    """Print the tables; whether floors are kept and no plan has a conflict."""
    graph = Graph(read_map((DATA / "maps" / f"{MAP}.map").read_text()))
    print(f"`{MAP}`, {graph.size} places, official starts and goals, {steps} steps, a fresh goal at each arrival\n")
    heads = ("robots", "at least", "aim", "median step", "99 %", "worst step", "goals in 100 steps", "conflicts")
    print(f"| {' | '.join(heads)} |")
    print("| --- " * len(heads) + "|")
    good = True
    for count, slow, least, aim in ((100, False, 0.05, 0.01), (1000, False, 1.0, 0.2), (100, True, 0.05, 0.01),
                                    (1000, True, 1.0, 0.2)):  # fmt: skip
        if slow:
            times, reached, conflicts = mixed(graph, count, steps)
        else:
            distances = Distances(graph)
            planner = StepPlanner(distances, count, 1, branches=graph.branches())
            times, reached, conflicts = lifelong(graph, planner.step, distances, count, steps)
        name = f"{count}, every tenth slow" if slow else str(count)
        median, high = statistics.median(times), sorted(times)[math.ceil(len(times) * 0.99) - 1]
        good &= conflicts == 0 and high <= least
        print(
            f"| {name} | {ms(least)} | {ms(aim)} | {ms(median)} | {ms(high)} | {ms(max(times))} "
            f"| {reached * 100 / steps:.0f} | {conflicts} |"
        )
    print("\nPeer: windowed cooperative A* in the same language on the same tables of distances\n")
    print("| robots | ours, mean step | peer, mean step | ratio | ours, goals | peer, goals | peer, conflicts |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count, few in ((100, min(steps, 100)), (1000, min(steps, 20))):
        distances = Distances(graph)
        planner = StepPlanner(distances, count, 1, branches=graph.branches())
        ours, mine, _ = lifelong(graph, planner.step, distances, count, few)
        distances = Distances(graph)
        theirs, reached, conflicts = lifelong(graph, Cooperative(distances, count).step, distances, count, few)
        a, b = statistics.fmean(ours), statistics.fmean(theirs)
        print(f"| {count} ({few} steps) | {ms(a)} | {ms(b)} | {b / a:.1f} | {mine} | {reached} | {conflicts} |")
    return good


if __name__ == "__main__":
    sys.exit(0 if run(int(sys.argv[1]) if len(sys.argv) > 1 else 200) else 1)
