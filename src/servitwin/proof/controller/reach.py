"""Property-directed reachability: an inductive invariant, found clause by clause (IC3; Bradley 2011, Een et al. 2011).

Frame i over-approximates what i steps can reach. A state that could lead to the goal is traced back; where the frame
before it cannot reach it, it is generalised (bounds dropped, then widened to numbers that the controller compares
with) and forbidden. When a frame is closed under the step, its clauses are an invariant that excludes the goal.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import count
from typing import Any

import z3

from servitwin.proof.controller.budget import Budget
from servitwin.proof.controller.clause import Bound, Clause, Cube, bound_term, clause_term, cube_of, cube_term, holds_in
from servitwin.proof.controller.system import Goal, System

_WIDENINGS = 6


class Reached(Exception):  # noqa: N818  # the answer "it can be reached", carried out of the search
    """The goal can be reached in about ``steps`` steps."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.steps = steps


class Reachability:
    """One goal against the part of the state that bears on it.

    Attributes:
        clear: the goal is unreachable in this many steps or fewer; -1 before that is known.
    """

    def __init__(self, system: System, goal: Goal, budget: Budget, known: Sequence[Clause] = ()) -> None:
        self._system = system
        self._goal = goal
        self._budget = budget
        self.clear = -1
        self.cone = system.cone([goal.term])
        inside = set(self.cone)
        self._known = [c for c in known if all(b.name in inside for b in c)]
        self._frames: list[list[Cube]] = [[]]
        self._marks: list[Any] = []
        self._counter = count()
        self._prepare()

    def _prepare(self) -> None:
        system = self._system
        self._bounds: dict[tuple[Bound, bool], Any] = {}
        self._solver = system.solver()
        self._solver.add(system.assumed, system.step(self.cone))
        for clause in self._known:
            self._solver.add(clause_term(system, clause))
        self._start_mark = z3.Bool("in the beginning", system.context)
        self._goal_mark = z3.Bool("at the goal", system.context)
        self._solver.add(z3.Implies(self._start_mark, system.first))
        self._solver.add(z3.Implies(self._goal_mark, self._goal.term))
        self._start = system.solver()
        self._start.add(system.first, system.ranges)
        self._only_start = self._single_start()
        # Is every state of a cube led into the next one by these inputs? Asked the other way round.
        self._lift = system.solver()
        self._lift.add(system.ranges, system.step(self.cone))
        self._new_mark()

    def _new_mark(self) -> None:
        self._marks.append(z3.Bool(f"frame {len(self._marks)}", self._system.context))

    def _assumed(self, frame: int) -> list[Any]:
        """What holds in a frame: the beginning, or the clauses of it and of all later ones."""
        return [self._start_mark] if frame == 0 else self._marks[frame:]

    def _literal(self, bound: Bound, *, primed: bool) -> Any:
        """A truth that stands for a bound in the main solver and in the lifting one."""
        known = self._bounds.get((bound, primed))
        if known is None:
            known = z3.Bool(f"{'next ' if primed else ''}{bound.name} {bound.op} {bound.value}", self._system.context)
            names = self._system.primed if primed else self._system.names
            meaning = known == bound_term(self._system, bound, names)
            self._solver.add(meaning)
            self._lift.add(meaning)
            self._bounds[bound, primed] = known
        return known

    def search(self) -> list[Clause]:
        """Clauses that exclude the goal, and with those that were known before make an invariant.

        Raises:
            Reached: the goal can be reached.
            OutOfBudget: no answer in time.
        """
        if self._budget.satisfiable(self._solver, self._start_mark, self._goal_mark):
            raise Reached(0)
        self.clear = 0
        self._frames.append([])
        self._new_mark()
        while True:
            top = len(self._frames) - 1
            while (cube := self._goal_state(top)) is not None:
                self._block(cube, top)
            self.clear = top
            found = self._propagate()
            if found is not None:
                return found

    def _state(self, model: Any) -> dict[str, int]:
        system = self._system
        return {
            n: system.words.number_of(model.eval(system.names[n], model_completion=True), system.state[n])
            for n in self.cone
        }

    def _goal_state(self, top: int) -> Cube | None:
        if not self._budget.satisfiable(self._solver, *self._assumed(top), self._goal_mark):
            return None
        model = self._solver.model()
        return self._lifted(model, z3.Not(z3.And(self._goal.term, self._system.world)))

    def _lifted(self, model: Any, escape: Any) -> Cube:
        """The cube of a model's state, without the bounds that do not matter for where it leads."""
        system = self._system
        cube = cube_of(self._state(model), system.state, self.cone)
        inputs = [system.names[n] == model.eval(system.names[n], model_completion=True) for n in system.inputs]
        literals = {self._literal(b, primed=False): b for b in cube}
        self._lift.push()
        self._lift.add(escape, *inputs)
        unreached = not self._budget.answered(self._lift, list(literals))
        core = {c.decl().name() for c in self._lift.unsat_core()} if unreached else None
        self._lift.pop()
        if core is None:
            return cube
        return tuple(b for lit, b in literals.items() if lit.decl().name() in core)

    def _block(self, cube: Cube, frame: int) -> None:
        open_: list[tuple[int, int, Cube, int]] = [(frame, next(self._counter), cube, 0)]
        while open_:
            self._budget.go_on()
            level, _, target, steps = heapq.heappop(open_)
            if self._meets_start(target):
                raise Reached(steps)
            if level == 0:
                raise Reached(steps)
            if self._is_blocked(target, level):
                continue
            core = self._unreachable(target, level)
            if core is None:
                before = self._before(target)
                heapq.heappush(open_, (level - 1, next(self._counter), before, steps + 1))
                heapq.heappush(open_, (level, next(self._counter), target, steps))
                continue
            clause = self._generalised(core, level)
            while level < len(self._frames) - 1 and self._unreachable(clause, level + 1) is not None:
                level += 1
            self._learn(clause, level)
            if level < len(self._frames) - 1:
                heapq.heappush(open_, (level + 1, next(self._counter), target, steps))

    def _meets_start(self, cube: Cube) -> bool:
        if self._only_start is not None:
            return holds_in(cube, self._only_start)
        return self._budget.satisfiable(self._start, cube_term(self._system, cube))

    def _single_start(self) -> dict[str, int] | None:
        """The state of the beginning where there is only one: it spares many questions."""
        self._budget.satisfiable(self._start)
        state = self._state(self._start.model())
        other = z3.Bool("another beginning", self._system.context)
        here = cube_term(self._system, cube_of(state, self._system.state, self.cone))
        self._start.add(z3.Implies(other, z3.Not(here)))
        return None if self._budget.satisfiable(self._start, other) else state

    def _is_blocked(self, cube: Cube, level: int) -> bool:
        return any(_covers(c, cube) for frame in self._frames[level:] for c in frame)

    def _unreachable(self, cube: Cube, level: int) -> Cube | None:
        """None if a step leads from frame ``level - 1`` without the cube into it; else the bounds that show it not."""
        literals = {self._literal(b, primed=True): b for b in cube}
        without = z3.Bool(f"without {next(self._counter)}", self._system.context)
        here = [z3.Not(self._literal(b, primed=False)) for b in cube]
        self._solver.add(z3.Implies(without, z3.Or(*here)))
        asked = [*self._assumed(level - 1), without, *literals]
        reached = self._budget.answered(self._solver, asked)
        if reached:
            return None
        core = {c.decl().name() for c in self._solver.unsat_core()}
        self._solver.add(z3.Not(without))
        kept = tuple(b for lit, b in literals.items() if lit.decl().name() in core)
        return self._apart_from_start(kept, cube)

    def _apart_from_start(self, kept: Cube, cube: Cube) -> Cube:
        """A cube may not hold a beginning: bounds come back until it does not."""
        if not self._meets_start(kept):
            return kept
        missing = [b for b in cube if b not in kept]
        for bound in missing:
            if not self._meets_start((*kept, bound)):
                return (*kept, bound)
        while missing:
            kept = (*kept, missing.pop())
            if not self._meets_start(kept):
                return kept
        return cube

    def _holds_without(self, cube: Cube, level: int) -> Cube | None:
        return None if not cube or self._meets_start(cube) else self._unreachable(cube, level)

    def _generalised(self, cube: Cube, level: int) -> Clause:
        """A cube with as few and as wide bounds as possible that is still not reached."""
        for bound in sorted(cube, key=lambda b: (self._system.state[b.name].size, b), reverse=True):
            if bound not in cube:
                continue
            smaller = tuple(b for b in cube if b != bound)
            found = self._holds_without(smaller, level)
            if found is not None:
                cube = found
        for bound in cube:
            if bound.op != "==" and bound in cube:
                cube = self._widened(cube, bound, level)
        return cube

    def _before(self, cube: Cube) -> Cube:
        """States that a step leads into a cube, from the last answer."""
        target = cube_term(self._system, cube, self._system.primed)
        return self._lifted(self._solver.model(), z3.Not(z3.And(target, self._system.world)))

    def _widened(self, cube: Cube, bound: Bound, level: int) -> Cube:
        known = self._system.thresholds[bound.name]
        further = [v for v in known if v < bound.value] if bound.op == ">=" else [v for v in known if v > bound.value]
        if bound.op == "<=":
            further.reverse()
        for value in further[:_WIDENINGS]:  # the farthest first
            wider = Bound(bound.name, bound.op, value)
            changed = tuple(wider if b == bound else b for b in cube)
            if self._holds_without(changed, level) is not None:
                return changed
        return cube

    def _learn(self, clause: Clause, level: int) -> None:
        for i in range(1, level + 1):
            self._frames[i] = [c for c in self._frames[i] if not _covers(clause, c)]
        self._frames[level].append(clause)
        self._solver.add(z3.Implies(self._marks[level], clause_term(self._system, clause)))

    def _propagate(self) -> list[Clause] | None:
        self._frames.append([])
        self._new_mark()
        for level in range(1, len(self._frames) - 1):
            for clause in list(self._frames[level]):
                if clause in self._frames[level] and self._unreachable(clause, level + 1) is not None:
                    self._learn(clause, level + 1)  # it covers itself: the frame below loses it
            if not self._frames[level]:
                return [c for frame in self._frames[level + 1 :] for c in frame]
        return None


def _covers(general: Cube, special: Cube) -> bool:
    """Whether every state of ``special`` is one of ``general``."""
    for g in general:
        for s in special:
            if s.name != g.name:
                continue
            if g == s or (g.op == s.op == ">=" and s.value >= g.value) or (g.op == s.op == "<=" and s.value <= g.value):
                break
        else:
            return False
    return True
