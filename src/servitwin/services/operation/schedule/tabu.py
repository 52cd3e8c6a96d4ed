"""Tabu search on the sequences of machines, for plain job shops: one machine per operation, nothing but sequence to decide.

The moves are those of Balas and Vazacopoulos (1998), an operation of a critical block goes to the block's begin or end; the
estimate and the feasibility tests are theirs, and what was reversed stays so for a while (Nowicki and Smutnicki 1996).
CP-SAT closes small shops; on 500 operations and more this finds better plans in the same minute.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from servitwin.domain.schedule.grid import Grid, Spot

NONE = -1
PATIENCE = 4_000  # moves without a new best before it goes back to one of the best, shaken
ELITE = 6


def applies(grid: Grid) -> bool:
    """Whether the makespan of this problem depends on the sequences alone."""
    problem, goal = grid.problem, grid.problem.objective
    return (
        goal.makespan > 0
        and not (goal.tardiness or goal.setup or goal.flow or goal.moved or goal.moved_machine)
        and not (problem.crews or problem.materials or problem.transport or problem.fixed)
        and all(m.windows is None and not m.blocked and not m.setups for m in problem.machines)
        and all(o.release is None and o.deadline is None for o in problem.orders)
        and all(len(s.candidates) == 1 and len(s.before) <= 1 and len(s.after) <= 1 for s in grid.steps)
    )


@dataclass
class _Move:
    """``op`` goes directly behind ``place`` (forward) or directly before it."""

    op: int
    place: int
    forward: bool
    passed: list[int]
    estimate: int


class Tabu:
    """Holds one current plan and improves on the best; ``run`` a number of moves at a time."""

    def __init__(self, grid: Grid, start: list[Spot], seed: int) -> None:
        self._grid, self._chance = grid, random.Random(seed)
        steps = grid.steps
        self._count = len(steps)
        self._p = [s.candidates[0].duration for s in steps]
        self._machine = [s.candidates[0].machine for s in steps]
        self._jp = [s.before[0] if s.before else NONE for s in steps]
        self._js = [s.after[0] if s.after else NONE for s in steps]
        jobs, machines = len(grid.problem.orders), max(1, len(grid.problem.machines))
        self._tenure = 10 + jobs // machines
        self._spread = max(4, int(1.4 * self._tenure) if jobs <= 2 * machines else int(1.5 * self._tenure))
        self._iteration, self._quiet = 0, 0
        self.best = max(s.end for s in start)
        self._elite: list[tuple[int, list[int]]] = []
        self._take(sorted(range(self._count), key=lambda i: (start[i].start, start[i].end)))
        self._remember()

    def offer(self, spots: list[Spot]) -> None:
        """A plan found elsewhere: go on from it if it is better."""
        if max(s.end for s in spots) < self.best:
            self._take(sorted(range(self._count), key=lambda i: (spots[i].start, spots[i].end)))
            self.best, self._quiet = self._makespan, 0
            self._remember()

    def spots(self) -> list[Spot]:
        """The best plan."""
        at = self._topology
        self._take(self._elite[0][1])
        found = [Spot(self._machine[i], NONE, self._r[i], self._r[i] + self._p[i]) for i in range(self._count)]
        self._take(at)
        return found

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
            if self._makespan < self.best:
                self.best, self._quiet = self._makespan, 0
                self._remember()
            else:
                self._quiet += 1
                if self._quiet > PATIENCE:
                    self._shake()
        return self.best < before

    def _take(self, topology: list[int]) -> None:
        """Sequences of the machines from a topological order of all operations."""
        n = self._count
        self._topology = list(topology)
        self._mp, self._ms = [NONE] * n, [NONE] * n
        last: dict[int, int] = {}
        for i in topology:
            before = last.get(self._machine[i], NONE)
            self._mp[i] = before
            if before != NONE:
                self._ms[before] = i
            last[self._machine[i]] = i
        self._r, self._q, self._pos = [0] * n, [0] * n, [0] * n
        self._until: dict[int, int] = {}
        self._heads(0)
        self._tails(n - 1)

    def _heads(self, first: int) -> None:
        r, p, jp, mp, pos, order = self._r, self._p, self._jp, self._mp, self._pos, self._topology
        for k in range(first, self._count):
            i = order[k]
            pos[i] = k
            j, m = jp[i], mp[i]
            a = r[j] + p[j] if j >= 0 else 0
            if m >= 0:
                b = r[m] + p[m]
                if b > a:
                    a = b
            r[i] = a

    def _tails(self, last: int) -> None:
        q, p, js, ms, order = self._q, self._p, self._js, self._ms, self._topology
        for k in range(last, -1, -1):
            i = order[k]
            j, m = js[i], ms[i]
            a = q[j] + p[j] if j >= 0 else 0
            if m >= 0:
                b = q[m] + p[m]
                if b > a:
                    a = b
            q[i] = a
        self._makespan = max(r + p_ for r, p_ in zip(self._r, p, strict=True))

    def _path(self) -> list[int]:
        """A critical path, one of them at random."""
        r, p, jp, mp, chance = self._r, self._p, self._jp, self._mp, self._chance.random
        ends = [i for i in range(self._count) if r[i] + p[i] == self._makespan]
        at = ends[int(chance() * len(ends))]
        path = [at]
        while r[at]:
            j, m = jp[at], mp[at]
            by_job = j >= 0 and r[j] + p[j] == r[at]
            by_machine = m >= 0 and r[m] + p[m] == r[at]
            at = j if by_job and (not by_machine or chance() < 0.5) else m
            path.append(at)
        path.reverse()
        return path

    def _choose(self) -> _Move | None:
        path, machine = self._path(), self._machine
        best: _Move | None = None
        best_tabu: _Move | None = None
        ties, low = 0, 0
        count = len(path)
        chance = self._chance.random
        while low < count:
            high = low
            while high + 1 < count and machine[path[high + 1]] == machine[path[low]]:
                high += 1
            if high > low:
                block = path[low : high + 1]
                for move in self._moves(block, low == 0, high == count - 1):
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

    def _moves(self, block: list[int], first: bool, last: bool) -> list[_Move]:
        r, p, q, js, jp = self._r, self._p, self._q, self._js, self._jp
        found, size = [], len(block)
        head, tail = block[0], block[-1]
        if size == 2:
            if not (first and last):
                found.append(self._estimate(head, [tail], True))
            return [m for m in found if m is not None]
        for k in range(size - 1):  # behind the block's end
            u = block[k]
            after = js[u]
            if not (last and k != 0) and (after < 0 or q[tail] + p[tail] >= q[after] + p[after]):
                found.append(self._estimate(u, block[k + 1 :], True))
        for k in range(1, size):  # before its begin
            v = block[k]
            before = jp[v]
            if not (first and k != size - 1) and (before < 0 or r[head] + p[head] >= r[before] + p[before]):
                found.append(self._estimate(v, block[:k], False))
        for k in (0, size - 2):  # neighbours at both ends
            found.append(self._estimate(block[k], [block[k + 1]], True))
        return found

    def _estimate(self, op: int, passed: list[int], forward: bool) -> _Move:
        """Length of the longest path through the operations that change places, heads and tails outside as they are."""
        r, p, q, jp, js, mp, ms = self._r, self._p, self._q, self._jp, self._js, self._mp, self._ms
        if forward:
            line, before, after = [*passed, op], mp[op], ms[passed[-1]]
        else:
            line, before, after = [op, *passed], mp[passed[0]], ms[op]
        heads = []
        at = r[before] + p[before] if before >= 0 else 0
        for i in line:
            j = jp[i]
            if j >= 0:
                a = r[j] + p[j]
                if a > at:
                    at = a
            heads.append(at)
            at += p[i]
        most = 0
        at = q[after] + p[after] if after >= 0 else 0
        for k in range(len(line) - 1, -1, -1):
            i = line[k]
            j = js[i]
            if j >= 0:
                a = q[j] + p[j]
                if a > at:
                    at = a
            at += p[i]
            if heads[k] + at > most:
                most = heads[k] + at
        return _Move(op, passed[-1] if forward else passed[0], forward, passed, most)

    def _is_tabu(self, move: _Move) -> bool:
        n, until, now, op = self._count, self._until, self._iteration, move.op
        for x in move.passed:
            arc = x * n + op if move.forward else op * n + x
            if until.get(arc, 0) > now:
                return True
        return False

    def _apply(self, move: _Move) -> None:
        segment = self._segment(move)
        if segment is None:  # the test that a move makes no circle is sufficient, ties apart
            self._until[move.op * self._count + move.place] = self._iteration + self._tenure
            self._until[move.place * self._count + move.op] = self._iteration + self._tenure
            return
        until = self._iteration + self._tenure + int(self._chance.random() * self._spread)
        for x in move.passed:
            arc = move.op * self._count + x if move.forward else x * self._count + move.op
            self._until[arc] = until
        low, line = segment
        self._topology[low : low + len(line)] = line
        self._relink(move)
        self._heads(low)
        self._tails(low + len(line) - 1)

    def _relink(self, move: _Move) -> None:
        mp, ms, op, place = self._mp, self._ms, move.op, move.place
        a, b = mp[op], ms[op]
        if a >= 0:
            ms[a] = b
        if b >= 0:
            mp[b] = a
        if move.forward:
            c = ms[place]
            ms[place], mp[op], ms[op] = op, place, c
            if c >= 0:
                mp[c] = op
        else:
            c = mp[place]
            mp[place], ms[op], mp[op] = op, place, c
            if c >= 0:
                ms[c] = op

    def _segment(self, move: _Move) -> tuple[int, list[int]] | None:
        """The part of the topological order that changes: what depends on the moved one goes along with it."""
        pos, order, op = self._pos, self._topology, move.op
        low, high = sorted((pos[op], pos[move.place]))
        bound, kept, going = {op}, [], []
        if move.forward:
            jp, mp, first = self._jp, self._mp, self._ms[op]
            for k in range(low + 1, high + 1):
                x = order[k]
                if jp[x] in bound or (x != first and mp[x] in bound):
                    bound.add(x)
                    going.append(x)
                else:
                    kept.append(x)
            return None if move.place in bound else (low, [*kept, op, *going])
        js, ms, last = self._js, self._ms, self._mp[op]
        for k in range(high - 1, low - 1, -1):
            x = order[k]
            if js[x] in bound or (x != last and ms[x] in bound):
                bound.add(x)
                going.append(x)
            else:
                kept.append(x)
        return None if move.place in bound else (low, [*reversed(going), op, *reversed(kept)])

    def _remember(self) -> None:
        self._elite.insert(0, (self._makespan, list(self._topology)))
        del self._elite[ELITE:]

    def _shake(self) -> None:
        """Back to one of the best plans, with some random moves on its critical path."""
        self._quiet = 0
        _, topology = self._elite[int(self._chance.random() ** 2 * len(self._elite))]
        self._take(topology)
        for _ in range(3 + int(self._chance.random() * 12)):
            path = self._path()
            pairs = [
                (a, b) for a, b in zip(path, path[1:], strict=False) if self._machine[a] == self._machine[b]
            ]
            if pairs:
                a, b = pairs[int(self._chance.random() * len(pairs))]
                self._apply(self._estimate(a, [b], True))
