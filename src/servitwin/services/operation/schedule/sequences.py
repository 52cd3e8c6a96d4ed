"""Sequences of machines as a graph: heads, tails and a critical path, kept right move by move.

The topological order is repaired where a move changes it, and heads and tails are computed from there on only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import add

NONE = -1


@dataclass(frozen=True)
class Move:
    """``op`` goes directly behind ``place`` (forward) or directly before it; ``passed`` lie between, in sequence.

    Where ``machine`` is not NONE, it goes to that machine instead, at index ``place`` of its sequence.
    """

    op: int
    place: int
    forward: bool
    passed: list[int]
    estimate: int
    machine: int = NONE


class Sequences:
    """One plan of a shop in which sequence and machine decide everything.

    Args:
        before, after: neighbours in the routing, -1 for none.
        ways: for each operation its duration by machine.
        topology: an order of all operations in which each comes after what it waits for.
        machine: of each operation.
    """

    def __init__(
        self,
        before: list[int],
        after: list[int],
        ways: list[dict[int, int]],
        topology: Sequence[int],
        machine: Sequence[int],
    ) -> None:
        n = len(before)
        self.jp, self.js, self.ways = before, after, ways
        self.topology, self.machine = list(topology), list(machine)
        self.p = [ways[i][m] for i, m in enumerate(self.machine)]
        self.mp, self.ms = [NONE] * n, [NONE] * n
        self.lines: dict[int, list[int]] = {m: [] for way in ways for m in way}
        for i in self.topology:
            line = self.lines[self.machine[i]]
            if line:
                self.mp[i], self.ms[line[-1]] = line[-1], i
            line.append(i)
        self.r, self.q, self.pos = [0] * n, [0] * n, [0] * n
        self.makespan = 0
        self._heads(0)
        self._tails(n - 1)

    def _heads(self, first: int) -> None:
        r, p, jp, mp, pos, order = self.r, self.p, self.jp, self.mp, self.pos, self.topology
        for k in range(first, len(order)):
            i = order[k]
            pos[i] = k
            j, m = jp[i], mp[i]
            a = r[j] + p[j] if j >= 0 else 0
            if m >= 0:
                b = r[m] + p[m]
                a = max(a, b)
            r[i] = a

    def _tails(self, last: int) -> None:
        q, p, js, ms, order = self.q, self.p, self.js, self.ms, self.topology
        for k in range(last, -1, -1):
            i = order[k]
            j, m = js[i], ms[i]
            a = q[j] + p[j] if j >= 0 else 0
            if m >= 0:
                b = q[m] + p[m]
                a = max(a, b)
            q[i] = a
        self.makespan = max(map(add, self.r, p))

    def path(self, chance: Callable[[], float]) -> list[int]:
        """A critical path, one of them at random."""
        r, p, jp, mp = self.r, self.p, self.jp, self.mp
        ends = [i for i in range(len(r)) if r[i] + p[i] == self.makespan]
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

    def sequenced(self, op: int, passed: list[int], forward: bool) -> Move:
        """Length of the longest path through the operations that change places, heads and tails outside as they are."""
        r, p, q, jp, js, mp, ms = self.r, self.p, self.q, self.jp, self.js, self.mp, self.ms
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
                at = max(at, a)
            heads.append(at)
            at += p[i]
        most = 0
        at = q[after] + p[after] if after >= 0 else 0
        for k in range(len(line) - 1, -1, -1):
            i = line[k]
            j = js[i]
            if j >= 0:
                a = q[j] + p[j]
                at = max(at, a)
            at += p[i]
            most = max(most, heads[k] + at)
        return Move(op, passed[-1] if forward else passed[0], forward, passed, most)

    def elsewhere(self, op: int) -> list[Move]:
        """The best place on each other machine that can do the operation, estimated by the path through it."""
        r, p, q, pos = self.r, self.p, self.q, self.pos
        j, s = self.jp[op], self.js[op]
        head0, low = (r[j] + p[j], pos[j]) if j >= 0 else (0, -1)
        tail0, high = (q[s] + p[s], pos[s]) if s >= 0 else (0, len(r))
        found = []
        for machine, length in self.ways[op].items():
            if machine == self.machine[op]:
                continue
            line, best, place = self.lines[machine], -1, 0
            head = head0
            for k in range(len(line) + 1):
                y = line[k] if k < len(line) else NONE
                if y < 0 or pos[y] > low:
                    tail = tail0
                    if y >= 0 and q[y] + p[y] > tail:
                        tail = q[y] + p[y]
                    if best < 0 or head + tail < best:
                        best, place = head + tail, k
                if y < 0 or pos[y] >= high:
                    break
                head = max(head, r[y] + p[y])
            if best >= 0:
                found.append(Move(op, place, True, [], best + length, machine))
        return found

    def apply(self, move: Move) -> bool:
        """Change the plan; False if the move would close a circle: nothing is changed then."""
        if move.machine != NONE:
            self._reassign(move)
            return True
        segment = self._segment(move)
        if segment is None:  # the tests before it are sufficient, ties apart
            return False
        low, line = segment
        self.topology[low : low + len(line)] = line
        self._relink(move)
        self._heads(low)
        self._tails(low + len(line) - 1)
        return True

    def _reassign(self, move: Move) -> None:
        op, pos, order = move.op, self.pos, self.topology
        self._unlink(op)
        self.lines[self.machine[op]].remove(op)
        line = self.lines[move.machine]
        x = line[move.place - 1] if move.place else NONE
        y = line[move.place] if move.place < len(line) else NONE
        line.insert(move.place, op)
        self.machine[op], self.p[op] = move.machine, self.ways[op][move.machine]
        self.mp[op], self.ms[op] = x, y
        if x >= 0:
            self.ms[x] = op
        if y >= 0:
            self.mp[y] = op
        j, was = self.jp[op], pos[op]
        behind = max(pos[j] if j >= 0 else -1, pos[x] if x >= 0 else -1)
        del order[was]
        target = behind if was <= behind else behind + 1
        order.insert(target, op)
        self._heads(min(was, target))
        self._tails(max(was, target))

    def _unlink(self, op: int) -> None:
        a, b = self.mp[op], self.ms[op]
        if a >= 0:
            self.ms[a] = b
        if b >= 0:
            self.mp[b] = a

    def _relink(self, move: Move) -> None:
        mp, ms, op, place = self.mp, self.ms, move.op, move.place
        self._unlink(op)
        line = self.lines[self.machine[op]]
        line.remove(op)
        line.insert(line.index(place) + move.forward, op)
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

    def _segment(self, move: Move) -> tuple[int, list[int]] | None:
        """The part of the topological order that changes: what depends on the moved one goes along with it."""
        pos, order, op = self.pos, self.topology, move.op
        low, high = sorted((pos[op], pos[move.place]))
        bound, kept, going = {op}, [], []
        if move.forward:
            jp, mp, first = self.jp, self.mp, self.ms[op]
            for k in range(low + 1, high + 1):
                x = order[k]
                if jp[x] in bound or (x != first and mp[x] in bound):
                    bound.add(x)
                    going.append(x)
                else:
                    kept.append(x)
            return None if move.place in bound else (low, [*kept, op, *going])
        js, ms, last = self.js, self.ms, self.mp[op]
        for k in range(high - 1, low - 1, -1):
            x = order[k]
            if js[x] in bound or (x != last and ms[x] in bound):
                bound.add(x)
                going.append(x)
            else:
                kept.append(x)
        return None if move.place in bound else (low, [*reversed(going), op, *reversed(kept)])
