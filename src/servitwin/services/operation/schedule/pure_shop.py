"""Shops in which machines and sequences are all there is to decide: no calendars, set-ups, stock or due dates."""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Int64s
from servitwin.domain.schedule.grid import Grid

NONE = -1

BEFORE, AFTER, DURATION = 0, 1, 2  # rows of a shop: neighbours in the routing, then durations by machine


def is_pure(grid: Grid) -> bool:
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


def shop_of(grid: Grid) -> Int64s:
    """Such a problem as an array: a column for each operation; NONE for no neighbour, and where it cannot be made."""
    shop = np.full((DURATION + len(grid.problem.machines), len(grid.steps)), NONE, np.int64)
    for step in grid.steps:
        shop[BEFORE, step.index] = step.before[0] if step.before else NONE
        shop[AFTER, step.index] = step.after[0] if step.after else NONE
        for c in step.candidates:
            shop[DURATION + c.machine, step.index] = c.duration
    return shop


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
