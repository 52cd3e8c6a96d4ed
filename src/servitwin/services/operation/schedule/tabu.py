"""Tabu search on machines and sequences, compiled, for shops in which nothing else is to decide.

The moves are those of Balas and Vazacopoulos (1998), an operation of a critical block goes to its begin or end; the
estimate and the feasibility tests are theirs. Where operations have a choice of machines, critical ones also go to the
best place on another (after Mastrolilli and Gambardella 2000). What was reversed stays so for a while (Nowicki and
Smutnicki 1996).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from servitwin.domain.observation import Int64s
from servitwin.services.operation.compiled import compiled
from servitwin.services.operation.schedule.pure_shop import AFTER, BEFORE, DURATION, NONE
from servitwin.services.operation.schedule.sequences import (
    BEST_MACHINE,
    BEST_ORDER,
    MACHINE,
    ORDER,
    PATH,
    Move,
    changed,
    critical_path,
    draw,
    elsewhere,
    left_from,
    ready,
    sequenced,
)

NOW, PRESENT, BEST, QUIET = 1, 2, 3, 4  # in the state behind that of chance: moves, makespans, moves since the best


class Choice(NamedTuple):
    """The best move that may be made and how many are as good, and any move of ``seen``."""

    best: Move
    ties: int
    any_move: Move
    seen: int


NOTHING = Move(NONE, NONE, True, 0, -1, NONE, 0)


def empty_memory(shop: Int64s, seed: int) -> tuple[Int64s, Int64s]:
    """Until when an operation (row) may not come before another again, nor behind those go back to a machine; a state.

    Nothing is remembered yet.
    """
    n, machines = shop.shape[1], len(shop) - DURATION
    return np.zeros((n, n + machines), np.int64), np.array([seed * 2654435761 % 2**62 + 1, 0, 0, 0, 0], np.int64)


@compiled
def search(
    shop: Int64s, plan: Int64s, until: Int64s, state: Int64s, moves: int, patience: int, tenure: int, spread: int
) -> bool:
    """So many moves; true if it is over: no better plan for ``patience`` moves, or nothing to move.

    What a move takes away may not come again for ``tenure`` and up to ``spread`` more moves.
    """
    for _ in range(moves):
        if state[QUIET] > patience:
            return True
        count = critical_path(shop, plan, state[PRESENT], state)
        move = _choose(shop, plan, until, state, count)
        if move.op == NONE:
            return True
        state[NOW] += 1
        state[QUIET] += 1
        was = plan[MACHINE, move.op]
        makespan = changed(shop, plan, move)
        _forbid(plan, until, move, was, makespan < 0, state[NOW] + tenure + draw(state, spread))
        if makespan >= 0:
            state[PRESENT] = makespan
        if state[PRESENT] < state[BEST]:
            state[BEST], state[QUIET] = state[PRESENT], 0
            for k in range(shop.shape[1]):
                plan[BEST_ORDER, k], plan[BEST_MACHINE, k] = plan[ORDER, k], plan[MACHINE, k]
    return False


@compiled
def _forbid(plan: Int64s, until: Int64s, move: Move, was: int, impossible: bool, end: int) -> None:
    """What the move took away may not come again before ``end``, nor an impossible one."""
    if move.machine != NONE:
        until[move.op, len(until) + was] = end
        return
    for k in range(move.low, move.high + 1):
        x = plan[PATH, k]
        if move.forward or impossible:
            until[move.op, x] = end
        if not move.forward or impossible:
            until[x, move.op] = end


@compiled
def _is_tabu(plan: Int64s, until: Int64s, move: Move, now: int) -> bool:
    if move.machine != NONE:
        again: int = until[move.op, len(until) + move.machine]
        return again > now
    for k in range(move.low, move.high + 1):
        x = plan[PATH, k]
        if (until[x, move.op] if move.forward else until[move.op, x]) > now:
            return True
    return False


@compiled
def _weighed(plan: Int64s, until: Int64s, state: Int64s, choice: Choice, move: Move) -> Choice:
    """With one more move; of equal ones each is as likely. Tabu ones count as any, unless they find a new best."""
    seen = choice.seen + 1
    any_move = move if draw(state, seen) == 0 else choice.any_move
    best, ties = choice.best, choice.ties
    worse = best.op != NONE and move.estimate > best.estimate
    if worse or (move.estimate >= state[BEST] and _is_tabu(plan, until, move, state[NOW])):
        return Choice(best, ties, any_move, seen)
    if best.op == NONE or move.estimate < best.estimate:
        return Choice(move, 1, any_move, seen)
    ties += 1
    return Choice(move if draw(state, ties) == 0 else best, ties, any_move, seen)


@compiled
def _choose(shop: Int64s, plan: Int64s, until: Int64s, state: Int64s, count: int) -> Move:
    """The best move that is not tabu or finds a new best; else any; without one ``NOTHING``."""
    choice = Choice(NOTHING, 0, NOTHING, 0)
    low = 0
    while low < count:
        machine, high = plan[MACHINE, plan[PATH, low]], low
        while high + 1 < count and plan[MACHINE, plan[PATH, high + 1]] == machine:
            high += 1
        if low < high:
            choice = _in_block(shop, plan, until, state, choice, low, high, count)
        for k in range(low, high + 1):
            op = plan[PATH, k]
            for m in range(len(shop) - DURATION):
                if m != machine and shop[DURATION + m, op] >= 0:
                    choice = _weighed(plan, until, state, choice, elsewhere(shop, plan, op, m))
        low = high + 1
    return choice.best if choice.best.op != NONE else choice.any_move


@compiled
def _in_block(
    shop: Int64s, plan: Int64s, until: Int64s, state: Int64s, choice: Choice, low: int, high: int, count: int
) -> Choice:
    """Moves within a critical block; where it is the path's first or last, nothing is won by the other end."""
    first, last = low == 0, high == count - 1
    if high == low + 1 and first and last:
        return choice
    begun, left = ready(plan, plan[PATH, low]), left_from(plan, plan[PATH, high])
    for k in range(low, high):  # behind the block's end; neighbours always
        op = plan[PATH, k]
        if k == high - 1 or ((not last or k == low) and left >= left_from(plan, shop[AFTER, op])):
            choice = _weighed(plan, until, state, choice, sequenced(shop, plan, op, k + 1, high, True))
    for k in range(low + 1, high + 1 if high > low + 1 else low):  # before its begin
        op = plan[PATH, k]
        if k == low + 1 or ((not first or k == high) and begun >= ready(plan, shop[BEFORE, op])):
            choice = _weighed(plan, until, state, choice, sequenced(shop, plan, op, low, k - 1, False))
    return choice
