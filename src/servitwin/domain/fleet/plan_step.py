"""One step of all robots at once: priority inheritance with backtracking (Okumura et al. 2022, "PIBT", AIJ 310)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from servitwin.domain.fleet.distances import Distances

NOWHERE = -1


class StepPlanner:
    """Plans where each robot goes in the next step so that no two meet, whatever the others want.

    Robots decide in order of priority; who stands where another wants to go inherits its priority and makes way, and
    where nobody can, the decision is taken back. Priorities rise with each step on the way, so that everybody
    comes to be first at some time.

    Args:
        distances: tables of the graph with its closed places.
        count: number of robots.
        seed: of the choice among equal ways.
        rotation: whether robots may change places round a circle in one step. Simulations of steps may; real robots,
            which drive into a place only once it has been left, would wait for each other for ever.
        branches: number of the dead-end branch of each place (:meth:`Graph.branches`): only one robot at a time
            goes into one, and only to its goal. None: no such rule.
    """

    def __init__(
        self,
        distances: Distances,
        count: int,
        seed: int,
        *,
        rotation: bool = True,
        branches: Sequence[int] | None = None,
    ) -> None:
        self.distances = distances
        self.count = count
        rng = Random(seed)
        self._eps = [i / (count + 1) for i in range(count)]
        rng.shuffle(self._eps)
        self.waited = [0] * count  # steps since the robot last was at its goal
        self._rotation = rotation
        self._branches = branches if branches is not None and any(b >= 0 for b in branches) else None
        self._turn = 0
        self._ways: list[list[tuple[int, ...]]] = []  # the neighbours in a few orders, so that equals take turns
        for v, out in enumerate(distances.graph.out):
            ways = [w for w in out if w not in distances.closed]
            orders = []
            for _ in range(4):
                rng.shuffle(ways)
                orders.append((*ways, v))
            self._ways.append(orders)
        self._now_at: list[int] = [NOWHERE] * distances.graph.size
        self._next_at: list[int] = [NOWHERE] * distances.graph.size

    def step(self, at: Sequence[int], goals: Sequence[int], held: Sequence[int] = ()) -> list[int]:
        """Where each robot is after the next step.

        Args:
            at: place of each robot, all different.
            goals: place each wants to reach; :data:`NOWHERE`: it has no wish and only makes way.
            held: robots that cannot move now.
        """
        now_at, next_at = self._now_at, self._next_at
        following = [NOWHERE] * self.count
        for i, v in enumerate(at):
            now_at[v] = i
        for i in held:
            following[i] = at[i]
            next_at[at[i]] = i
        self._turn += 1
        for i in self._order(at, goals):
            if following[i] == NOWHERE:
                self._decide(i, at, goals, following)
        for v in at:
            now_at[v] = NOWHERE
        for v in following:
            next_at[v] = NOWHERE
        return following

    def _order(self, at: Sequence[int], goals: Sequence[int]) -> list[int]:
        waited = self.waited
        for i, goal in enumerate(goals):
            if goal in (NOWHERE, at[i]):
                waited[i] = 0
            else:
                waited[i] += 1
        rank = [w + e for w, e in zip(waited, self._eps, strict=True)]
        if self._branches is not None:
            for i, v in enumerate(at):
                if self._branches[v] >= 0 and goals[i] not in (NOWHERE, v):
                    rank[i] += 1_000_000  # who is in a dead end comes out before anybody else goes in
        return sorted(range(self.count), key=rank.__getitem__, reverse=True)

    def _wishes(self, i: int, at: Sequence[int], goals: Sequence[int]) -> list[int]:
        """Places the robot would take, best first."""
        here, goal = at[i], goals[i]
        ways = self._ways[here][(self._turn + i) & 3]
        wishes = [here, *ways[:-1]] if goal == NOWHERE else sorted(ways, key=self.distances.to(goal).__getitem__)
        if self._branches is not None:
            branch, mine = self._branches, self._branches[here]
            wishes = [w for w in wishes if branch[w] in (-1, mine) or self._may_enter(i, branch[w], at, goal)]
        return wishes

    def _may_enter(self, i: int, branch: int, at: Sequence[int], goal: int) -> bool:
        assert self._branches is not None
        if goal == NOWHERE or self._branches[goal] != branch:
            return False
        return all(self._branches[v] != branch for j, v in enumerate(at) if j != i) and all(
            self._branches[w] != branch for w in self._taken_branches(i)
        )

    def _taken_branches(self, i: int) -> list[int]:
        """Places in branches that somebody else has decided for in this step."""
        assert self._branches is not None
        return [v for v, j in enumerate(self._next_at) if j not in (NOWHERE, i) and self._branches[v] >= 0]

    def _decide(self, first: int, at: Sequence[int], goals: Sequence[int], following: list[int]) -> None:
        """Decide for a robot and for all that have to make way for it; without recursion, for long queues."""
        now_at, next_at = self._now_at, self._next_at
        asked = {first}
        frames: list[tuple[int, list[int]]] = [(first, self._wishes(first, at, goals)[::-1])]
        while frames:
            i, wishes = frames[-1]
            here = at[i]
            decided = False
            while wishes:
                v = wishes.pop()
                if next_at[v] != NOWHERE:
                    continue
                other = now_at[v]
                if other not in (NOWHERE, i):
                    if following[other] == here:
                        continue  # the two would pass through each other
                    if not self._rotation and other in asked:
                        continue  # round a circle nobody can begin
                following[i] = v
                next_at[v] = i
                if other in (NOWHERE, i) or following[other] != NOWHERE:
                    return  # he who is first goes, and so does everybody who was asked to make way
                asked.add(other)
                frames.append((other, self._wishes(other, at, goals)[::-1]))
                decided = True
                break
            if not decided:
                following[i] = here
                next_at[here] = i
                frames.pop()
