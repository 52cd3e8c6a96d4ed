"""Sequences of machines as a graph, compiled: heads, tails and a critical path, kept right move by move.

The topological order is repaired where a move changes it, and heads and tails are computed from there on only.
A plan is one array, a row for each thing that is known of operations (fewer types make it compile four times faster);
operations and machines are numbers, ``NONE`` for none; times are ticks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servitwin.domain.observation import Int64s
from servitwin.services.operation.compiled import compiled
from servitwin.services.operation.schedule.pure_shop import AFTER, BEFORE, DURATION, NONE

MACHINE, LENGTH = 0, 1  # of each operation
PREVIOUS, FOLLOWING = 2, 3  # neighbours on its machine
HEAD, TAIL = 4, 5  # the longest path before and behind it
ORDER, PLACE = 6, 7  # a topological order, and where in it each operation is
PATH = 8  # a critical path
FIRST = 9  # operation of each machine
KEPT, GOING, MARK = 10, 11, 12  # room to work in
BEST_ORDER, BEST_MACHINE = 13, 14  # of the best plan that a search found
ROWS = 15


class Move(NamedTuple):
    """``op`` goes directly behind ``other`` (forward) or before it, past those of the path from ``low`` to ``high``.

    Where ``machine`` is not NONE it goes to that machine instead, behind ``other`` or as the first there.
    """

    op: int
    other: int
    forward: bool
    low: int
    high: int
    machine: int
    estimate: int


def empty_plan(shop: Int64s) -> Int64s:
    """Room for a plan of that shop."""
    return np.zeros((ROWS, max(shop.shape[1] + 1, len(shop))), np.int64)


@compiled
def lay(shop: Int64s, plan: Int64s, order: Int64s, machine: Int64s) -> int:
    """Make ``plan`` the one with this topological order and these machines; its makespan."""
    last = plan[KEPT]
    for m in range(len(shop)):
        plan[FIRST, m] = last[m] = NONE
    for k in range(len(order)):
        i = order[k]
        m = machine[i]
        plan[ORDER, k], plan[MACHINE, i], plan[LENGTH, i] = i, m, shop[DURATION + m, i]
        plan[PREVIOUS, i], plan[FOLLOWING, i] = last[m], NONE
        if last[m] == NONE:
            plan[FIRST, m] = i
        else:
            plan[FOLLOWING, last[m]] = i
        last[m] = i
    heads(shop, plan, 0)
    return tails(shop, plan, len(order) - 1)


@compiled
def heads(shop: Int64s, plan: Int64s, first: int) -> None:
    """Heads and places from a place of the order on."""
    for k in range(first, shop.shape[1]):
        i = plan[ORDER, k]
        plan[PLACE, i] = k
        plan[HEAD, i] = max(ready(plan, shop[BEFORE, i]), ready(plan, plan[PREVIOUS, i]))


@compiled
def tails(shop: Int64s, plan: Int64s, last: int) -> int:
    """Tails from a place of the order down to its begin; the makespan."""
    for k in range(last, -1, -1):
        i = plan[ORDER, k]
        plan[TAIL, i] = max(left_from(plan, shop[AFTER, i]), left_from(plan, plan[FOLLOWING, i]))
    most = 0
    for i in range(shop.shape[1]):
        most = max(most, plan[HEAD, i] + plan[LENGTH, i])
    return most


@compiled
def ready(plan: Int64s, op: int) -> int:
    """When an operation ends at the earliest; 0 for none."""
    return plan[HEAD, op] + plan[LENGTH, op] if op >= 0 else 0


@compiled
def left_from(plan: Int64s, op: int) -> int:
    """The longest path from an operation's begin; 0 for none."""
    return plan[TAIL, op] + plan[LENGTH, op] if op >= 0 else 0


@compiled
def critical_path(shop: Int64s, plan: Int64s, makespan: int, random: Int64s) -> int:
    """A critical path into the row PATH, one of them at random; its length."""
    at, ends = NONE, 0
    for i in range(shop.shape[1]):
        if plan[HEAD, i] + plan[LENGTH, i] == makespan:
            ends += 1
            if draw(random, ends) == 0:
                at = i
    count = 0
    while True:
        plan[PATH, count] = at
        count += 1
        head = plan[HEAD, at]
        if head == 0:
            break
        j, m = shop[BEFORE, at], plan[PREVIOUS, at]
        by_order, by_machine = ready(plan, j) == head, ready(plan, m) == head
        at = j if by_order and (not by_machine or draw(random, 2) == 0) else m
    for k in range(count // 2):
        plan[PATH, k], plan[PATH, count - 1 - k] = plan[PATH, count - 1 - k], plan[PATH, k]
    return count


@compiled
def draw(random: Int64s, below: int) -> int:
    """A random number from 0 to ``below`` - 1 (xorshift, Marsaglia 2003); ``random[0]`` is the state, never 0."""
    x = random[0]
    x ^= x << 13
    x ^= (x >> 7) & 0x1FFFFFFFFFFFFFF
    x ^= x << 17
    random[0] = x
    drawn: int = ((x >> 11) & 0x1FFFFFFFFFFFFF) % below
    return drawn


@compiled
def sequenced(shop: Int64s, plan: Int64s, op: int, low: int, high: int, forward: bool) -> Move:
    """Estimate: the longest path through the operations that change places, heads and tails outside as they are."""
    size, shift = high - low + 1, 0 if forward else 1
    before = plan[PREVIOUS, op] if forward else plan[PREVIOUS, plan[PATH, low]]
    after = plan[FOLLOWING, plan[PATH, high]] if forward else plan[FOLLOWING, op]
    at = ready(plan, before)
    for k in range(size + 1):
        i = op if k == (size if forward else 0) else plan[PATH, low + k - shift]
        at = max(at, ready(plan, shop[BEFORE, i]))
        plan[KEPT, k] = at
        at += plan[LENGTH, i]
    most, at = 0, left_from(plan, after)
    for k in range(size, -1, -1):
        i = op if k == (size if forward else 0) else plan[PATH, low + k - shift]
        at = max(at, left_from(plan, shop[AFTER, i])) + plan[LENGTH, i]
        most = max(most, plan[KEPT, k] + at)
    return Move(op, plan[PATH, high] if forward else plan[PATH, low], forward, low, high, NONE, most)


@compiled
def elsewhere(shop: Int64s, plan: Int64s, op: int, machine: int) -> Move:
    """The best place on another machine, estimated by the path through it."""
    j, s = shop[BEFORE, op], shop[AFTER, op]
    at, tail = ready(plan, j), left_from(plan, s)
    low = plan[PLACE, j] if j >= 0 else -1
    high = plan[PLACE, s] if s >= 0 else shop.shape[1]
    best, behind = -1, NONE
    x, y = NONE, plan[FIRST, machine]
    while True:
        if y < 0 or plan[PLACE, y] > low:
            end = max(tail, left_from(plan, y))
            if best < 0 or at + end < best:
                best, behind = at + end, x
        if y < 0 or plan[PLACE, y] >= high:
            break
        at = max(at, ready(plan, y))
        x, y = y, plan[FOLLOWING, y]
    return Move(op, behind, True, 0, -1, machine, best + shop[DURATION + machine, op])


@compiled
def changed(shop: Int64s, plan: Int64s, move: Move) -> int:
    """The makespan of the changed plan; NONE if the move would close a circle: nothing is changed then."""
    op = move.op
    if move.machine != NONE:
        _unlink(plan, op)
        plan[MACHINE, op], plan[LENGTH, op] = move.machine, shop[DURATION + move.machine, op]
        _link(plan, op, move.other)
        low, high = _brought_forward(shop, plan, op, move.other)
    else:
        low, high = _reordered(shop, plan, op, move.other, move.forward)
        if low < 0:  # the tests before it are sufficient, ties apart
            return NONE
        _unlink(plan, op)
        _link(plan, op, move.other if move.forward else plan[PREVIOUS, move.other])
    heads(shop, plan, low)
    return tails(shop, plan, high)


@compiled
def _unlink(plan: Int64s, op: int) -> None:
    a, b = plan[PREVIOUS, op], plan[FOLLOWING, op]
    if a >= 0:
        plan[FOLLOWING, a] = b
    else:
        plan[FIRST, plan[MACHINE, op]] = b
    if b >= 0:
        plan[PREVIOUS, b] = a


@compiled
def _link(plan: Int64s, op: int, behind: int) -> None:
    m = plan[MACHINE, op]
    b = plan[FOLLOWING, behind] if behind >= 0 else plan[FIRST, m]
    plan[PREVIOUS, op], plan[FOLLOWING, op] = behind, b
    if behind >= 0:
        plan[FOLLOWING, behind] = op
    else:
        plan[FIRST, m] = op
    if b >= 0:
        plan[PREVIOUS, b] = op


@compiled
def _brought_forward(shop: Int64s, plan: Int64s, op: int, other: int) -> tuple[int, int]:
    """Put it in the topological order directly behind all that it waits for; first and last place that changed."""
    j, was = shop[BEFORE, op], plan[PLACE, op]
    behind = max(plan[PLACE, j] if j >= 0 else -1, plan[PLACE, other] if other >= 0 else -1)
    target = behind if was <= behind else behind + 1
    for k in range(was, target):
        plan[ORDER, k] = plan[ORDER, k + 1]
    for k in range(was, target, -1):
        plan[ORDER, k] = plan[ORDER, k - 1]
    plan[ORDER, target] = op
    return min(was, target), max(was, target)


@compiled
def _reordered(shop: Int64s, plan: Int64s, op: int, other: int, forward: bool) -> tuple[int, int]:
    """Change the part of the topological order that must: what depends on the moved one goes along with it.

    First and last place that changed, or NONE for a circle.
    """
    low, high = min(plan[PLACE, op], plan[PLACE, other]), max(plan[PLACE, op], plan[PLACE, other])
    neighbour, beside = (BEFORE, PREVIOUS) if forward else (AFTER, FOLLOWING)
    next_to = plan[FOLLOWING, op] if forward else plan[PREVIOUS, op]
    stays = moves = 0
    plan[MARK, op] = 1
    for step in range(1, high - low + 1):
        x = plan[ORDER, low + step] if forward else plan[ORDER, high - step]
        a, b = shop[neighbour, x], plan[beside, x]
        if (a >= 0 and plan[MARK, a]) or (x != next_to and b >= 0 and plan[MARK, b]):
            plan[MARK, x] = 1
            plan[GOING, moves] = x
            moves += 1
        else:
            plan[KEPT, stays] = x
            stays += 1
    circle = plan[MARK, other] == 1
    plan[MARK, op] = 0
    for k in range(moves):
        plan[MARK, plan[GOING, k]] = 0
    if circle:
        return NONE, NONE
    at, by = (low, 1) if forward else (high, -1)  # what stays, the moved one, what goes along, away from where it was
    for k in range(stays):
        plan[ORDER, at + by * k] = plan[KEPT, k]
    plan[ORDER, at + by * stays] = op
    for k in range(moves):
        plan[ORDER, at + by * (stays + 1 + k)] = plan[GOING, k]
    return low, high
