"""One step of all robots at once: priority inheritance with backtracking (Okumura et al. 2022, "PIBT", AIJ 310)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from servitwin.domain.fleet.distances import Distances

NOWHERE = -1
STUBBORN_STEPS = 60  # who has waited so long goes no way round any more: the first in line must not dance about
AROUND_STEPS = 1.0  # a way round has turns: it is taken where it saves more than this
LOOK_WAYS = 6  # ways that a robot looks ahead behind a slower one


class Mover(msgspec.Struct, frozen=True):
    """How a robot drives: its tables, and how far it comes in one step, in their units."""

    distances: Distances
    reach: float

    def lasts(self, start: int, end: int) -> int:
        """Steps that it needs for a way."""
        cost = self.distances.cost
        return max(1, round((1 if cost is None else cost[start, end]) / self.reach))


class UnderWay(msgspec.Struct):
    """A robot that is between places.

    Attributes:
        left: steps until it is at the place it drives to.
        behind: places that it still holds behind that, each with the steps until it has left it.
    """

    left: int
    behind: list[tuple[int, int]] = []


class StepPlanner:
    """Plans where each robot goes in the next step so that no two meet, whatever the others want.

    Robots decide in order of priority; who stands where another wants to go inherits its priority and makes way, and
    where nobody can, the decision is taken back. Priorities rise with each step on the way, so that everybody
    comes to be first at some time.

    With ``movers`` a way may last several steps. Who is on it holds both its ends, decides nothing, and opens the one
    behind for its last step, as a robot that needs a single step does. Who would have to wait for it compares that with
    a way round.

    Args:
        distances: tables of the graph with its closed places.
        count: number of robots.
        seed: of the choice among equal ways.
        rotation: whether robots may change places round a circle in one step. Simulations of steps may; real robots,
            which drive into a place only once it has been left, would wait for each other for ever.
        branches: number of the dead-end branch of each place (:meth:`Graph.branches`): only one robot at a time
            goes into one, and only to its goal. None: no such rule.

    Attributes:
        movers: how each robot drives; None: every way is one step for everybody.
        under_way: robots that are between places now, by their number; the caller says who is at the beginning.
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
        # Steps since the robot last was at its goal; of a slow one the ways it could have driven in them, else it would
        # be first almost always, because its trips last longest.
        self.waited: list[float] = [0] * count
        self._rotation = rotation
        self._branches = branches if branches is not None and any(b >= 0 for b in branches) else None
        self.movers: Sequence[Mover] | None = None
        self.under_way: dict[int, UnderWay] = {}
        self._usual_cost = distances.graph.step_m / distances.unit_m
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
        for i, way in self.under_way.items():
            following[i] = at[i]
            next_at[at[i]] = i
            for place, left in way.behind:
                if left > 1:
                    next_at[place] = i
        driving = list(self.under_way)
        self._turn += 1
        for i in self._order(at, goals):
            if following[i] == NOWHERE:
                self._decide(i, at, goals, following)
        for v in at:
            now_at[v] = next_at[v] = NOWHERE
        for v in following:
            next_at[v] = NOWHERE
        for i in driving:
            way = self.under_way[i]
            for place, _ in way.behind:
                next_at[place] = NOWHERE
            way.left -= 1
            way.behind = [(place, left - 1) for place, left in way.behind if left > 1]
            if way.left < 1 and not way.behind:
                del self.under_way[i]
        return following

    def _order(self, at: Sequence[int], goals: Sequence[int]) -> list[int]:
        waited = self.waited
        for i, goal in enumerate(goals):
            if goal in (NOWHERE, at[i]):
                waited[i] = 0
            else:
                waited[i] += 1 if self.movers is None else min(1.0, self.movers[i].reach / self._usual_cost)
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
        if goal == NOWHERE:
            wishes = [here, *ways[:-1]]
        elif self.movers is None:
            wishes = sorted(ways, key=self.distances.to(goal).__getitem__)
        else:
            wishes = self._by_time(i, self.movers[i], ways, at, goals)
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

    def _by_time(self, i: int, mover: Mover, ways: Sequence[int], at: Sequence[int], goals: Sequence[int]) -> list[int]:
        """Where the robot may go, what leads to its goal soonest first; to stay costs a step."""
        here, cost = at[i], mover.distances.cost
        table = mover.distances.to(goals[i])
        far = {v: table[v] + (1 if cost is None else cost[here, v]) for v in ways[:-1]}
        if not far or here == goals[i]:
            return [here, *far]
        least = min(far.values())
        key: dict[int, float] = dict(far)
        if self.waited[i] < STUBBORN_STEPS:
            for v, value in far.items():
                around = AROUND_STEPS if value > least else 0.0
                key[v] += mover.reach * (around + self._wait_on(i, v, at, goals, table))
        order = sorted(key, key=key.__getitem__)
        usable = [v for v in order if far[v] == least or self._leads_on(mover, table, here, v)]
        stay = key[usable[0]] + mover.reach
        sooner = [v for v in usable if key[v] < stay]
        return [*sooner, here, *(v for v in order if v not in sooner)]

    def _wait_on(self, i: int, place: int, at: Sequence[int], goals: Sequence[int], table: Sequence[int]) -> int:
        """Steps that a robot would lose at a place, or at the next one after it."""
        if self._next_at[place] != NOWHERE or self._now_at[place] not in (NOWHERE, i):
            return self._wait(i, place, at, goals)
        after = min((w for w in self.distances.graph.out[place] if w != at[i]), key=table.__getitem__, default=NOWHERE)
        if after == NOWHERE or place == goals[i]:
            return 0
        return max(0, self._wait(i, after, at, goals) - 1)

    def _leads_on(self, mover: Mover, table: Sequence[int], here: int, place: int) -> bool:
        """Whether the way on from a place does not come back to where the robot stands."""
        cost, out = mover.distances.cost, self.distances.graph.out[place]
        return table[place] == 0 or any(
            w != here and table[w] + (1 if cost is None else cost[place, w]) <= table[place] for w in out
        )

    def _wait(self, i: int, place: int, at: Sequence[int], goals: Sequence[int]) -> int:
        """Steps that a robot would lose: until a place is open, and behind who is there, as far as can be seen."""
        assert self.movers is not None
        j = self._next_at[place] if self._next_at[place] != NOWHERE else self._now_at[place]
        if j in (NOWHERE, i):
            return 0
        way, mine, other = self.under_way.get(j), self.movers[i], self.movers[j]
        if way is None and other.reach >= mine.reach:
            return 0  # it goes on at once, or is asked to
        steps = 0 if way is None else next((left - 1 for p, left in way.behind if p == place), way.left)
        if NOWHERE in (goals[i], goals[j]) or at[j] == goals[j]:
            return steps
        table, theirs = mine.distances.to(goals[i]), other.distances.to(goals[j])
        out, v = self.distances.graph.out, at[j]
        for way_on in range(LOOK_WAYS):
            if v in (goals[i], goals[j]) or not out[v]:
                break
            after = min(out[v], key=theirs.__getitem__)
            if way_on == 0 and v == place:
                steps += other.lasts(v, after) - 1  # the place is open once the other is nearly at its next
            else:
                steps += max(0, other.lasts(v, after) - mine.lasts(v, after))
            if after != min(out[v], key=table.__getitem__):
                break
            v = after
        return steps

    def _decide(self, first: int, at: Sequence[int], goals: Sequence[int], following: list[int]) -> None:
        """Decide for a robot and for all that have to make way for it; without recursion, for long queues."""
        now_at, next_at = self._now_at, self._next_at
        asked = {first}
        frames: list[tuple[int, list[int]]] = [(first, self._wishes(first, at, goals)[::-1])]
        while frames:
            i, wishes = frames[-1]
            here = at[i]
            pushed = decided = False
            while wishes and not (pushed or decided):
                v = wishes.pop()
                if next_at[v] != NOWHERE:
                    continue
                other = now_at[v]
                if other not in (NOWHERE, i):
                    if following[other] == here:
                        continue  # the two would pass through each other
                    if other in asked and not (self._rotation and self.movers is None):
                        continue  # round a circle nobody can begin, nor go where a place is held for longer
                following[i] = v
                next_at[v] = i
                if other in (NOWHERE, i) or following[other] != NOWHERE:
                    decided = True
                else:
                    asked.add(other)
                    frames.append((other, self._wishes(other, at, goals)[::-1]))
                    pushed = True
            if decided:
                if self._all_go(frames, at, following):
                    return
            elif not pushed:
                following[i] = here
                next_at[here] = i
                frames.pop()

    def _all_go(self, frames: list[tuple[int, list[int]]], at: Sequence[int], following: list[int]) -> bool:
        """He who is last goes, and so does everybody who asked for its place, unless it is held for longer.

        Returns:
            False where somebody has to decide anew, because who makes way for it needs several steps.
        """
        if self.movers is None:
            return True
        while frames:
            i, _ = frames.pop()
            here, v = at[i], following[i]
            steps = self.movers[i].lasts(here, v) if v != here else 1
            if steps == 1:
                continue
            self.under_way[i] = UnderWay(steps - 1, [(here, steps - 1)])
            self._next_at[here] = i
            if not frames:
                return True
            asker, wishes = frames[-1]
            following[asker] = NOWHERE
            # It waits for the place that is about to be free, unless somebody wants its own.
            if at[asker] in wishes:
                wishes.remove(at[asker])
            wishes.append(at[asker])
            return False
        return True
