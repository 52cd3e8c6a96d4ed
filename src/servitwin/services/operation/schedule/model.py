"""The problem as a constraint model for CP-SAT: intervals per candidate, circuits where set-ups depend on the order.

Calendars are domains: an operation may start where its whole work fits, with the pause that a start there implies as a
constant, so that shifts cost the solver almost nothing.
"""

from __future__ import annotations

from typing import Any

from ortools.sat.python import cp_model

from servitwin.domain.schedule.grid import Candidate, Grid, Spot, Step
from servitwin.services.operation.schedule.neighbourhood import Neighbourhood


class Variables:
    """Of one step: ticks of start and end, set-up, and a literal for each candidate."""

    def __init__(self, start: Any, end: Any, present: list[Any]) -> None:
        self.start, self.end, self.present = start, end, present
        self.setup: Any = 0
        self.pause = 0  # the longest


class ScheduleModel:
    """Builds the model at once; ``near`` leaves only part of a known plan free."""

    def __init__(self, grid: Grid, near: Neighbourhood | None = None) -> None:
        self.grid, self.near = grid, near
        self.model = cp_model.CpModel()
        self.vars = [self._step(s) for s in grid.steps]
        for step in grid.steps:
            self._routing(step)
        for machine in range(len(grid.problem.machines)):
            self._machine(machine)
        self._crews()
        self._stock()
        self.model.minimize(self._objective())

    def candidates(self, step: Step) -> list[Candidate]:
        """Of a step, without those that the neighbourhood takes away."""
        if self.near is None or step.index in self.near.free:
            return step.candidates
        spot = self.near.spots[step.index]
        return [c for c in step.candidates if (c.machine, c.crew) == (spot.machine, spot.crew)]

    def _step(self, step: Step) -> Variables:
        if step.fixed is not None:
            found = Variables(step.fixed.start, step.fixed.end, [])
            found.setup = step.fixed.setup
            return found
        model, ways = self.model, self.candidates(step)
        domains = [self._starts(step, c, 0) for c in ways]
        union = cp_model.Domain.from_intervals([list(r) for d in domains for rs in d.values() for r in rs])
        if step.release <= step.deadline:
            union = union.intersection_with(cp_model.Domain(step.release, step.deadline))
        if union.is_empty() or step.release > step.deadline:
            model.add_bool_or([])  # it fits nowhere: there is no plan
            return Variables(0, 0, [1] + [0] * (len(ways) - 1))
        start = model.new_int_var_from_domain(union, "")
        if len(ways) == 1 and list(domains[0]) in ([0], []):
            model.add(start + ways[0].duration <= step.deadline)
            return Variables(start, start + ways[0].duration, [1])
        end = model.new_int_var(step.release, step.deadline, "")
        present: list[Any] = [model.new_bool_var("") for _ in ways] if len(ways) > 1 else [1]
        if len(ways) > 1:
            model.add_exactly_one(present)
        for candidate, lit, domain in zip(ways, present, domains, strict=True):
            lits = [model.new_bool_var("") for _ in domain] if len(domain) > 1 else [lit]
            if len(domain) > 1:
                model.add(sum(lits) == lit)
            if not domain:
                model.add(lit == 0)
            for piece, (pause, ranges) in zip(lits, domain.items(), strict=False):
                possible = cp_model.Domain.from_intervals([list(r) for r in ranges])
                if union.intersection_with(possible).flattened_intervals() != union.flattened_intervals():
                    model.add_linear_expression_in_domain(start, possible).only_enforce_if(piece)
                model.add(end == start + candidate.duration + pause).only_enforce_if(piece)
        found = Variables(start, end, present)
        found.pause = max((p for d in domains for p in d), default=0)
        return found

    def _starts(self, step: Step, candidate: Candidate, setup: int) -> dict[int, list[tuple[int, int]]]:
        openings = self.grid.openings(candidate.machine, candidate.crew)
        return openings.starts(candidate.duration, setup, step.pausable)

    def _ways(self, step: Step) -> list[tuple[Any, int]]:
        """(literal, machine) of a step; 1 is certain."""
        if step.fixed is not None:
            return [(1, step.fixed.machine)]
        return [(p, c.machine) for p, c in zip(self.vars[step.index].present, self.candidates(step), strict=True)]

    def _routing(self, step: Step) -> None:
        if step.started:
            return
        me, mine = self.vars[step.index], self._ways(step)
        for b in step.before:
            other, theirs = self.vars[b], self._ways(self.grid.steps[b])
            times = {self.grid.move(m, n) for _, m in theirs for _, n in mine}
            least = min(times, default=0)
            self.model.add(me.start >= other.end + least)
            for lit, m in theirs if len(times) > 1 else ():
                for own, n in mine:
                    if self.grid.move(m, n) > least:
                        given = [x for x in (lit, own) if not isinstance(x, int)]
                        self.model.add(me.start >= other.end + self.grid.move(m, n)).only_enforce_if(given)

    def _machine(self, machine: int) -> None:
        """One at a time, and set-ups between neighbours."""
        grid, model, spans, taken = self.grid, self.model, [], []
        here: list[tuple[Step, Any, list[Candidate]]] = []
        for step in grid.steps:
            if step.fixed is not None:
                if step.fixed.machine == machine:
                    taken.append((step.fixed.begin, step.fixed.end))
                    here.append((step, 1, []))
                continue
            found = self.vars[step.index]
            ways = [(p, c) for p, c in zip(found.present, self.candidates(step), strict=True) if c.machine == machine]
            if not ways:
                continue
            lit: Any = ways[0][0]
            if len(ways) > 1:  # several crews: on the machine if one of them
                lit = model.new_bool_var("")
                model.add(sum(p for p, _ in ways) == lit)
            here.append((step, lit, [c for _, c in ways]))
            spans.append(self._span(found, lit, {c.duration for _, c in ways}))
        for low, high in _union(taken):
            spans.append(model.new_fixed_size_interval_var(low, high - low, ""))
        if self.near is not None:
            for i, j in self.near.chain(machine):
                model.add(self.vars[j].start >= self.vars[i].end)
        model.add_no_overlap(spans)
        if grid.has_setups(machine):
            self._circuit(machine, here)

    def _span(self, found: Variables, lit: Any, durations: set[int]) -> Any:
        """Interval of a step where ``lit`` holds; its length is known unless it may pause."""
        model = self.model
        size: Any = next(iter(durations))
        if found.pause or len(durations) > 1:
            size = model.new_int_var(min(durations), max(durations) + found.pause, "")
        if isinstance(lit, int):
            return model.new_interval_var(found.start, size, found.end, "")
        return model.new_optional_interval_var(found.start, size, found.end, lit, "")

    def _circuit(self, machine: int, here: list[tuple[Step, Any, list[Candidate]]]) -> None:
        """Who follows whom: the set-up of each is that of the arc into it, and lies before its start in a shift."""
        grid, model = self.grid, self.model
        families = [s.family for s, _, _ in here]
        arcs: list[tuple[int, int, Any]] = []
        into: list[list[tuple[int, Any]]] = [[] for _ in here]
        for j, (step, lit, _) in enumerate(here):
            first, last = model.new_bool_var(""), model.new_bool_var("")
            arcs += [(0, j + 1, first), (j + 1, 0, last)]
            into[j].append((grid.setup(machine, grid.first_family(machine), families[j]), first))
            if not isinstance(lit, int):
                arcs.append((j + 1, j + 1, ~lit))
            me = self.vars[step.index]
            for i, (other, _, _) in enumerate(here):
                both_fixed = other.fixed is not None and step.fixed is not None
                if i == j or (self.near is not None and not self.near.may_follow(other.index, step.index)):
                    continue
                if both_fixed and other.fixed.begin > step.fixed.begin:  # type: ignore[union-attr]
                    continue
                arc, setup = model.new_bool_var(""), grid.setup(machine, families[i], families[j])
                arcs.append((i + 1, j + 1, arc))
                into[j].append((setup, arc))
                if not both_fixed:
                    model.add(me.start >= self.vars[other.index].end + setup).only_enforce_if(arc)
        if not here:
            return
        empty = model.new_bool_var("")
        arcs.append((0, 0, empty))
        for _, lit, _ in here:
            if isinstance(lit, int):
                model.add(empty == 0)
            else:
                model.add_implication(lit, ~empty)
        model.add_circuit(arcs)
        for (step, _, ways), incoming in zip(here, into, strict=True):
            self._set_up(step, ways, incoming)

    def _set_up(self, step: Step, ways: list[Candidate], incoming: list[tuple[int, Any]]) -> None:
        model, me = self.model, self.vars[step.index]
        if step.fixed is not None:
            for setup, arc in incoming:
                if setup > step.fixed.setup and not step.started:
                    model.add(arc == 0)
            return
        me.setup = me.setup + sum(setup * arc for setup, arc in incoming if setup)
        for length in {s for s, _ in incoming if s}:
            arcs = [arc for s, arc in incoming if s == length]
            used = model.new_bool_var("")
            model.add(sum(arcs) == used)
            for candidate in ways:
                ranges = [r for rs in self._starts(step, candidate, length).values() for r in rs]
                lit = me.present[self.candidates(step).index(candidate)]
                given = [used] if isinstance(lit, int) else [used, lit]
                possible = cp_model.Domain.from_intervals([list(r) for r in ranges])
                model.add_linear_expression_in_domain(me.start, possible).only_enforce_if(given)

    def _crews(self) -> None:
        """No more operations at once than there are people."""
        model, grid = self.model, self.grid
        for n, crew in enumerate(grid.problem.crews):
            spans, facts = [], []
            for step in grid.steps:
                me = self.vars[step.index]
                if step.fixed is not None:
                    if step.fixed.crew == n:
                        facts.append((step.fixed.begin, step.fixed.end))
                    continue
                for lit, candidate in zip(me.present, self.candidates(step), strict=True):
                    if candidate.crew == n:
                        spans.append(self._attended(me, lit))
            for low, high in _at_most(facts, crew.count):
                spans.append(model.new_fixed_size_interval_var(low, high - low, ""))
            if crew.count == 1:
                model.add_no_overlap(spans)
            elif spans:
                model.add_cumulative(spans, [1] * len(spans), crew.count)

    def _attended(self, me: Variables, lit: Any) -> Any:
        """Interval in which a step takes somebody of a crew: from its set-up on."""
        model, begin = self.model, me.start
        if not isinstance(me.setup, int):
            begin = model.new_int_var(0, self.grid.end, "")
            model.add(begin == me.start - me.setup)
        length = model.new_int_var(0, self.grid.end, "")
        if isinstance(lit, int):
            return model.new_interval_var(begin, length, me.end, "")
        return model.new_optional_interval_var(begin, length, me.end, lit, "")

    def _stock(self) -> None:
        grid = self.grid
        for m, material in enumerate(grid.problem.materials):
            used = [(s, a) for s in grid.steps if not s.started for x, a in s.needs if x == m]
            if sum(a for _, a in used) <= material.stock:
                continue
            times: list[Any] = [0, *(max(0, grid.up(a.time)) for a in material.arrivals)]
            changes = [material.stock, *(a.amount for a in material.arrivals)]
            times += [self.vars[s.index].start for s, _ in used]
            changes += [-a for _, a in used]
            self.model.add_reservoir_constraint(times, changes, 0, sum(c for c in changes if c > 0))

    def _objective(self) -> Any:
        grid, model = self.grid, self.model
        goal, terms, ends = grid.problem.objective, [], []
        last: dict[int, list[Any]] = {}
        for step in grid.steps:
            if not all(grid.steps[a].order == step.order for a in step.after) or not step.after:
                last.setdefault(step.order, []).append(self.vars[step.index].end)
        for n, order in enumerate(grid.problem.orders):
            if n not in last:
                continue
            end = last[n][0]
            if len(last[n]) > 1:
                end = model.new_int_var(-grid.end, 2 * grid.end, "")
                model.add_max_equality(end, last[n])
            ends.append(end)
            if goal.tardiness and order.due is not None and order.weight:
                late = model.new_int_var(0, 3 * grid.end + abs(grid.down(order.due)), "")
                model.add(late >= end - grid.down(order.due))
                terms.append(goal.tardiness * order.weight * late)
            if goal.flow:
                terms.append(goal.flow * (end - max(0, grid.down(order.release or grid.problem.start))))
        if goal.makespan:
            span = model.new_int_var(0, 2 * grid.end, "")
            for end in ends:
                model.add(span >= end)
            terms.append(goal.makespan * span)
        terms += self._disturbance()
        for step in grid.steps:
            me = self.vars[step.index]
            if step.fixed is not None:
                continue
            if goal.setup and not isinstance(me.setup, int):
                terms.append(goal.setup * me.setup)
            terms += [c.cost * p for p, c in zip(me.present, self.candidates(step), strict=True) if c.cost]
        return sum(terms)

    def _disturbance(self) -> list[Any]:
        """Against the plan before: other starts, other machines."""
        grid, terms = self.grid, []
        goal = grid.problem.objective
        if not goal.moved and not goal.moved_machine:
            return []
        for p in grid.problem.before:
            index = grid.index.get(p.key)
            if index is None or grid.steps[index].fixed is not None:
                continue
            me, at = self.vars[index], grid.down(p.start)
            if goal.moved:
                away = self.model.new_int_var(0, 2 * grid.end + abs(at), "")
                self.model.add(away >= me.start - at)
                self.model.add(away >= at - me.start)
                terms.append(goal.moved * away)
            if goal.moved_machine:
                for lit, machine in self._ways(grid.steps[index]):
                    if machine != grid.machine_of.get(p.machine, -1):
                        terms.append(goal.moved_machine * lit)
        return terms

    def hint(self, spots: list[Spot]) -> None:
        """Where to look first."""
        for step, spot in zip(self.grid.steps, spots, strict=True):
            if step.fixed is not None:
                continue
            me = self.vars[step.index]
            self.model.add_hint(me.start, spot.start)
            if isinstance(me.end, cp_model.IntVar):
                self.model.add_hint(me.end, spot.end)
            for lit, candidate in zip(me.present, self.candidates(step), strict=True):
                if not isinstance(lit, int):
                    self.model.add_hint(lit, (candidate.machine, candidate.crew) == (spot.machine, spot.crew))

    def spots(self, value: Any) -> list[Spot]:
        """Read a solution; ``value`` is the solver's way to evaluate an expression."""
        found = []
        for step in self.grid.steps:
            if step.fixed is not None:
                found.append(step.fixed)
                continue
            me = self.vars[step.index]
            ways = zip(me.present, self.candidates(step), strict=True)
            way = next(c for p, c in ways if isinstance(p, int) or value(p))
            setup = me.setup if isinstance(me.setup, int) else value(me.setup)
            found.append(Spot(way.machine, way.crew, value(me.start), value(me.end), setup))
        return found


def _union(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        elif low < high:
            found.append((low, high))
    return found


def _at_most(facts: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """Those of the started operations that the crew can attend at once; what is a fact cannot be forbidden."""
    kept: list[tuple[int, int]] = []
    for low, high in sorted(facts):
        if sum(1 for s, e in kept if s <= low < e) < count:
            kept.append((low, high))
    return kept
