"""One step of a controller as a relation for the solver, with the monitors of its properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
import z3

from servitwin.domain.controller import Property
from servitwin.domain.controller_flat import FlatController, FlatTransition
from servitwin.domain.controller_term import Number, Range, Term, constants_against, is_value, number
from servitwin.proof.controller.words import Words

AGE = "age of "  # a monitor: for how many steps a response has been owed; no name of a file has a space
CHOICE = "choice in "


class Goal(msgspec.Struct, frozen=True):
    """Something to reach: ``term`` over names of state and inputs. To be proven unreachable, or found.

    ``looks_back``: steps after which an induction is most likely to succeed; a response is owed that long.
    """

    name: str
    term: Any
    looks_back: int = 0


class System:
    """State, inputs and step of a controller.

    Attributes:
        state: range of every name that is remembered: regions, variables, timers, ages of owed responses.
        inputs: range of every input, the choices between competing transitions among them.
        names: solver constants of both, as they stand in every term here.
        primed: constants of the state after the step.
        next: what each name of the state becomes.
        first: what holds in the beginning.
        assumed: what the world never breaks, and the ranges of state and inputs.
        taken: for each flat transition, whether the step takes it.
        competing: pairs of flat transitions that can be enabled at one rank.
        bad: for each property, that this position breaks it.
        thresholds: for each name, numbers with which the controller compares it.
    """

    def __init__(self, flat: FlatController, properties: Sequence[Property]) -> None:
        self.flat = flat
        self.properties = tuple(properties)
        self.context = z3.Context()
        self.words = Words(self.context)
        self.state: dict[str, Range] = dict(flat.state)
        self.inputs: dict[str, Range] = dict(flat.inputs)
        for p in self.properties:
            if p.kind == "response" and p.within:
                self.state[AGE + p.name] = Range("integer", 0, p.within)
        words = self.words
        self.names = {n: words.constant(n, r) for n, r in {**self.state, **self.inputs}.items()}
        self.primed = {n: words.constant(n + "'", r) for n, r in self.state.items()}
        self.competing: list[tuple[FlatTransition, FlatTransition, Any]] = []
        self.taken: list[Any] = []
        self.guards = [words.truth(t.guard, self.names) for t in flat.transitions]
        self._choose()
        writes: dict[str, list[tuple[int, Term]]] = {}
        for i, t in enumerate(flat.transitions):
            for name, value in t.assigns:
                writes.setdefault(name, []).append((i, value))
            if t.source != t.target:
                writes.setdefault(t.region, []).append((i, Number(t.target, flat.state[t.region])))
        self.next = {n: self._next(n, writes.get(n, [])) for n in flat.state}
        self.bad = {p.name: self._monitored(p) for p in self.properties}
        self.first = words.both(*self._first())
        self.ranges = words.both(*(words.inside(self.names[n], r) for n, r in {**self.state, **self.inputs}.items()))
        self.world = words.both(*(words.truth(a, self.names) for a in flat.controller.assumptions))
        self.assumed = words.both(self.ranges, self.world)
        self.thresholds = self._thresholds()
        self._reads: dict[int, tuple[Any, frozenset[str]]] = {}

    def enabled(self, t: FlatTransition, index: int) -> Any:
        """In its source with its guard true."""
        at = self.words.compared(self.names[t.region], self.state[t.region], "==", t.source)
        return self.words.both(at, self.guards[index])

    def _choose(self) -> None:
        indexed = list(enumerate(self.flat.transitions))
        self.taken = [self.words.false] * len(indexed)
        for (region, _), group in groupby(indexed, lambda p: (p[1].region, p[1].source)):
            before: list[Any] = []
            ordered = sorted(group, key=lambda p: p[1].rank)
            for _, same in groupby(ordered, lambda p: p[1].rank):
                members = list(same)
                enabled = [self.enabled(t, i) for i, t in members]
                nothing_before = z3.Not(self.words.one_of(*before)) if before else self.words.true
                for (i, _), one in zip(members, self._one_of_rank(region, members, enabled), strict=True):
                    self.taken[i] = self.words.both(one, nothing_before)
                before += enabled

    def _one_of_rank(self, region: str, members: list[tuple[int, FlatTransition]], enabled: list[Any]) -> list[Any]:
        """Which of equal rank is taken: the chosen one if it is enabled, else the first that is."""
        compete = [
            (a, b)
            for a in range(len(members))
            for b in range(a)
            if self._both_possible(members[b][1], members[a][1], enabled[b], enabled[a])
        ]
        if not compete:
            return enabled
        name = CHOICE + region
        if name not in self.inputs:
            self.inputs[name] = Range("integer", 0, max(self._most_of_rank(region) - 1, 1))
            self.names[name] = self.words.constant(name, self.inputs[name])
        choice, range_ = self.names[name], self.inputs[name]
        words = self.words
        chosen = [words.both(words.compared(choice, range_, "==", k), e) for k, e in enumerate(enabled)]
        nobody = z3.Not(words.one_of(*chosen))
        taken: list[Any] = []
        for k, e in enumerate(enabled):
            is_first = words.both(e, nobody, *(z3.Not(other) for other in enabled[:k]))
            taken.append(words.one_of(chosen[k], is_first))
        return taken

    def _most_of_rank(self, region: str) -> int:
        counts = Counter((t.source, t.rank) for t in self.flat.transitions if t.region == region)
        return max(counts.values())

    def _both_possible(self, a: FlatTransition, b: FlatTransition, first: Any, second: Any) -> bool:
        solver = z3.SolverFor("QF_FD", ctx=self.context)
        solver.set("timeout", 2000)
        ranges = {**self.flat.state, **self.flat.inputs}
        solver.add(first, second, *(self.words.inside(self.names[n], r) for n, r in ranges.items()))
        solver.add(*(self.words.truth(t, self.names) for t in self.flat.controller.assumptions))
        if str(solver.check()) == "unsat":
            return False
        self.competing.append((a, b, z3.And(first, second)))
        return True

    def _next(self, name: str, writes: Sequence[tuple[int, Term]]) -> Any:
        range_ = self.flat.state[name]
        now = self.names[name]
        words = self.words
        if name in self.flat.timers:
            full = words.compared(now, range_, "==", range_.high)
            still = words.one_of(full, words.compared(now, range_, "==", -1))
            after = z3.If(still, now, now + 1)
        else:
            after = now
        for i, value in writes:
            after = z3.If(self.taken[i], words.kept(value, range_, self.names), after)
        return after

    def _monitored(self, p: Property) -> Any:
        words = self.words
        holds = words.truth(p.holds, self.names)
        if p.kind == "always":
            return z3.Not(holds)
        if p.kind == "never":
            return holds
        trigger = words.truth(p.trigger, self.names)
        if not p.within:
            return words.both(trigger, z3.Not(holds))
        name = AGE + p.name
        range_ = self.state[name]
        age = self.names[name]
        full = words.compared(age, range_, "==", p.within)
        zero = words.value(0, range_)
        begun = z3.If(trigger, words.value(1, range_), zero)
        self.next[name] = z3.If(holds, zero, z3.If(age == zero, begun, z3.If(full, age, age + 1)))
        return words.both(full, z3.Not(holds))

    def _first(self) -> Iterable[Any]:
        values: dict[str, Any] = {}
        for name, range_ in self.flat.state.items():
            initial = self.flat.initial[name]
            values[name] = self.names[name] if initial is None else self.words.value(initial, range_)
        free = {n: self.words.constant(f"{n} at the start", self.flat.state[n]) for n in values}
        for name in values:
            if self.flat.initial[name] is None:
                values[name] = free[name]
                yield self.words.inside(free[name], self.flat.state[name])
        folded = {n: self.words.kept(t, self.flat.state[n], values) for n, t in self.flat.start}
        for name, value in {**values, **folded}.items():
            yield self.names[name] == value
        for name, range_ in self.state.items():
            if name not in values:
                yield self.names[name] == self.words.value(0, range_)

    def outside(self) -> list[Goal]:
        """One goal for each variable that an assignment can bring outside its range."""
        found: dict[str, list[Any]] = {}
        for i, t in enumerate(self.flat.transitions):
            for name, value in t.checks:
                limits = self.flat.state[name]
                if name in self.flat.saturating or limits.kind != "integer":
                    continue
                if value.range.low >= limits.low and value.range.high <= limits.high:
                    continue
                reached = self.words.number(value, self.names)
                low = self.words.number(number(limits.low), {})
                high = self.words.number(number(limits.high), {})
                width = max(reached.size(), low.size(), high.size())
                wide = [z3.SignExt(width - v.size(), v) for v in (reached, low, high)]
                found.setdefault(name, []).append(z3.And(self.taken[i], z3.Or(wide[0] < wide[1], wide[0] > wide[2])))
        return [Goal(n, self.words.one_of(*parts)) for n, parts in found.items()]

    def _thresholds(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, set[int]] = {n: set() for n in self.state}
        terms = [t.guard for t in self.flat.transitions]
        terms += [p.holds for p in self.properties] + [p.trigger for p in self.properties]
        for term in (*terms, *self.flat.controller.assumptions):
            for name, value in constants_against(term):
                found.get(name, set()).update((value - 1, value, value + 1))
        for name, range_ in self.state.items():
            initial = self.flat.initial.get(name)
            found[name] |= {range_.low, range_.high} | ({initial} if initial is not None else set())
            found[name] = {v for v in found[name] if range_.low <= v <= range_.high}
        return {n: tuple(sorted(v)) for n, v in found.items()}

    def read_by(self, term: Any) -> frozenset[str]:
        """Names that a solver term reads."""
        known = self._reads.get(term.get_id())
        if known is not None:
            return known[1]
        seen: set[int] = set()
        names: set[str] = set()
        open_ = [term]
        while open_:
            part = open_.pop()
            if part.get_id() in seen:
                continue
            seen.add(part.get_id())
            if z3.is_const(part) and part.decl().kind() == z3.Z3_OP_UNINTERPRETED:
                names.add(part.decl().name())
            open_ += part.children()
        # Kept with the term itself: the number of a term that is gone is given to another one.
        self._reads[term.get_id()] = (term, frozenset(names))
        return frozenset(names)

    def cone(self, terms: Sequence[Any]) -> list[str]:
        """The part of the state that can bear on terms: all that they read, and what that becomes from."""
        wanted: set[str] = set()
        open_ = [n for t in (*terms, self.world) for n in self.read_by(t)]
        while open_:
            name = open_.pop()
            if name in self.next and name not in wanted:
                wanted.add(name)
                open_ += self.read_by(self.next[name])
        return [n for n in self.state if n in wanted]

    def step(self, names: Sequence[str]) -> Any:
        """The step of a part of the state: primed constants against what they become."""
        return self.words.both(*(self.primed[n] == self.next[n] for n in names))

    def moved(self, term: Any, to: Mapping[str, Any]) -> Any:
        """A term with its names replaced by other constants."""
        return z3.substitute(term, *((self.names[n], c) for n, c in to.items()))

    def in_state(self, region: str, leaf: int) -> Any:
        """A region is in a leaf."""
        return self.words.truth(is_value(region, self.state[region], leaf), self.names)

    def solver(self) -> Any:
        """A fresh incremental solver for finite domains."""
        return z3.SolverFor("QF_FD", ctx=self.context)
