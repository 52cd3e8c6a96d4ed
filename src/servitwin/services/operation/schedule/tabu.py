"""Tabu search on machines and sequences, for shops in which nothing else is to decide: no calendars, set-ups or stock.

The moves are those of Balas and Vazacopoulos (1998), an operation of a critical block goes to its begin or end; the
estimate and the feasibility tests are theirs. Where operations have a choice of machines, critical ones also go to the
best place on another (after Mastrolilli and Gambardella 2000). What was reversed stays so for a while (Nowicki and
Smutnicki 1996). CP-SAT closes small shops; on some hundred operations this finds better plans in the same minute.
"""

from __future__ import annotations

import random
from itertools import pairwise

from servitwin.domain.schedule.grid import Grid, Spot
from servitwin.services.operation.schedule.sequences import NONE, Move, Sequences

PATIENCE = 4_000  # moves without a new best before it goes back to one of the best, shaken
ELITE = 6


def applies(grid: Grid) -> bool:
    """Whether the makespan of this problem depends on machines and sequences alone."""
    problem, goal = grid.problem, grid.problem.objective
    return (
        goal.makespan > 0
        and not (goal.tardiness or goal.setup or goal.flow or goal.moved or goal.moved_machine)
        and not (problem.crews or problem.materials or problem.transport or problem.fixed)
        and all(m.windows is None and not m.blocked and not m.setups for m in problem.machines)
        and all(o.release is None and o.deadline is None for o in problem.orders)
        and all(s.before in ([], [s.index - 1]) and len(s.after) <= 1 for s in grid.steps)
        and all(len({c.machine for c in s.candidates}) == len(s.candidates) for s in grid.steps)
        and not any(c.cost for s in grid.steps for c in s.candidates)
    )


def least(grid: Grid) -> int:
    """What no plan of such a shop can be shorter than.

    It is the longest order, or the work of a machine with the least that has to be before and after it.
    """
    steps = grid.steps
    length = [min(c.duration for c in s.candidates) for s in steps]
    head, tail = [0] * len(steps), [0] * len(steps)
    for step in steps:  # operations of an order are listed in sequence
        if step.before:
            head[step.index] = head[step.before[0]] + length[step.before[0]]
    for step in reversed(steps):
        if step.after:
            tail[step.index] = tail[step.after[0]] + length[step.after[0]]
    most = max((head[i] + length[i] + tail[i] for i in range(len(steps))), default=0)
    here: dict[int, list[int]] = {}
    for step in steps:
        if len(step.candidates) == 1:
            here.setdefault(step.candidates[0].machine, []).append(step.index)
    for group in here.values():
        load = sum(length[i] for i in group)
        most = max(most, min(head[i] for i in group) + load + min(tail[i] for i in group))
    return max(most, -(-sum(length) // max(1, len(grid.problem.machines))))


class Tabu:
    """Holds one current plan and improves on the best; ``run`` a number of moves at a time."""

    def __init__(self, grid: Grid, start: list[Spot], seed: int) -> None:
        self._chance = random.Random(seed)
        steps = grid.steps
        self._before = [s.before[0] if s.before else NONE for s in steps]
        self._after = [s.after[0] if s.after else NONE for s in steps]
        self._ways = [{c.machine: c.duration for c in s.candidates} for s in steps]
        self._flexible = any(len(w) > 1 for w in self._ways)
        jobs, machines = len(grid.problem.orders), max(1, len(grid.problem.machines))
        self._tenure = 10 + jobs // machines
        self._spread = max(4, int(1.4 * self._tenure) if jobs <= 2 * machines else int(1.5 * self._tenure))
        self._iteration, self._quiet = 0, 0
        self._until: dict[int, int] = {}
        self.best = max(s.end for s in start)
        self._elite: list[tuple[list[int], list[int]]] = []
        self._plan = self._from(start)
        self.best = min(self.best, self._plan.makespan)
        self._remember()

    def offer(self, spots: list[Spot]) -> None:
        """A plan found elsewhere: go on from it if it is better."""
        if max(s.end for s in spots) < self.best:
            self._plan = self._from(spots)
            self.best, self._quiet = self._plan.makespan, 0
            self._remember()

    def spots(self) -> list[Spot]:
        """The best plan."""
        plan = self._of(*self._elite[0])
        return [Spot(m, NONE, r, r + p) for m, r, p in zip(plan.machine, plan.r, plan.p, strict=True)]

    def run(self, moves: int) -> bool:
        """Some moves; true if the best became better."""
        before = self.best
        for _ in range(moves):
            self._iteration += 1
            move = self._choose()
            if move is None:
                self._shake()
                continue
            self._apply(move)
            if self._plan.makespan < self.best:
                self.best, self._quiet = self._plan.makespan, 0
                self._remember()
            else:
                self._quiet += 1
                if self._quiet > PATIENCE:
                    self._shake()
        return self.best < before

    def _from(self, spots: list[Spot]) -> Sequences:
        order = sorted(range(len(spots)), key=lambda i: (spots[i].start, spots[i].end))
        return self._of(order, [s.machine for s in spots])

    def _of(self, topology: list[int], machine: list[int]) -> Sequences:
        return Sequences(self._before, self._after, self._ways, topology, machine)

    def _choose(self) -> Move | None:
        plan, chance = self._plan, self._chance.random
        path, machine = plan.path(chance), plan.machine
        best: Move | None = None
        best_tabu: Move | None = None
        ties, low = 0, 0
        count = len(path)
        while low < count:
            high = low
            while high + 1 < count and machine[path[high + 1]] == machine[path[low]]:
                high += 1
            moves = self._moves(path[low : high + 1], low == 0, high == count - 1) if high > low else []
            if self._flexible:
                for op in path[low : high + 1]:
                    if len(self._ways[op]) > 1:
                        moves += plan.elsewhere(op)
            for move in moves:
                if not self._is_tabu(move) or move.estimate < self.best:
                    if best is None or move.estimate < best.estimate:
                        best, ties = move, 1
                    elif move.estimate == best.estimate:
                        ties += 1
                        if chance() * ties < 1:
                            best = move
                elif best_tabu is None or chance() < 0.3:
                    best_tabu = move
            low = high + 1
        return best or best_tabu

    def _moves(self, block: list[int], first: bool, last: bool) -> list[Move]:
        plan = self._plan
        r, p, q, js, jp = plan.r, plan.p, plan.q, plan.js, plan.jp
        found, size = [], len(block)
        head, tail = block[0], block[-1]
        if size == 2:
            return [] if first and last else [plan.sequenced(head, [tail], True)]
        for k in range(size - 1):  # behind the block's end
            u = block[k]
            after = js[u]
            if not (last and k != 0) and (after < 0 or q[tail] + p[tail] >= q[after] + p[after]):
                found.append(plan.sequenced(u, block[k + 1 :], True))
        for k in range(1, size):  # before its begin
            v = block[k]
            before = jp[v]
            if not (first and k != size - 1) and (before < 0 or r[head] + p[head] >= r[before] + p[before]):
                found.append(plan.sequenced(v, block[:k], False))
        for k in (0, size - 2):  # neighbours at both ends
            found.append(plan.sequenced(block[k], [block[k + 1]], True))
        return found

    def _arcs(self, move: Move, made: bool) -> list[int]:
        """Keys of what a move makes, or of what it takes away: arcs of a sequence, or an operation on a machine."""
        n, op = len(self._before), move.op
        if move.machine != NONE:
            return [-1 - (op * 10_000 + (move.machine if made else self._plan.machine[op]))]
        return [x * n + op if move.forward == made else op * n + x for x in move.passed]

    def _is_tabu(self, move: Move) -> bool:
        until, now = self._until, self._iteration
        return any(until.get(a, 0) > now for a in self._arcs(move, True))

    def _apply(self, move: Move) -> None:
        until = self._iteration + self._tenure + int(self._chance.random() * self._spread)
        gone = self._arcs(move, False)
        if not self._plan.apply(move):
            gone += self._arcs(move, True)
        for arc in gone:
            self._until[arc] = until

    def _remember(self) -> None:
        self._elite.insert(0, (list(self._plan.topology), list(self._plan.machine)))
        del self._elite[ELITE:]

    def _shake(self) -> None:
        """Back to one of the best plans, with some random moves on its critical path."""
        self._quiet = 0
        self._until.clear()
        self._plan = self._of(*self._elite[int(self._chance.random() ** 2 * len(self._elite))])
        for _ in range(3 + int(self._chance.random() * 12)):
            plan = self._plan
            path = plan.path(self._chance.random)
            pairs = [(a, b) for a, b in pairwise(path) if plan.machine[a] == plan.machine[b]]
            others = [m for op in path if len(self._ways[op]) > 1 for m in plan.elsewhere(op)]
            if others and (not pairs or self._chance.random() < 0.5):
                self._apply(others[int(self._chance.random() * len(others))])
            elif pairs:
                a, b = pairs[int(self._chance.random() * len(pairs))]
                self._apply(plan.sequenced(a, [b], True))
