"""Runs a controller on plain numbers, straight from its states: the check on every counterexample.

It shares nothing with the encoding for the solver but the nouns: hierarchy, priorities and the order of actions are
done here once more, on the controller as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import msgspec

from servitwin.domain.controller import EVENT, NO_EVENT, Controller, Property, Region, State, Transition
from servitwin.domain.controller_meaning import Assignment
from servitwin.domain.controller_term import Name, Number, Range, Term, words_range

Values = dict[str, int]


def evaluate(term: Term, values: Mapping[str, int]) -> int:
    """The number of a term; truths are 0 and 1."""
    if isinstance(term, Number):
        return term.value
    if isinstance(term, Name):
        return values[term.name]
    if term.op == "if":
        condition, yes, no = term.args
        return evaluate(yes if evaluate(condition, values) else no, values)
    args = [evaluate(a, values) for a in term.args]
    match term.op:
        case "not":
            return 1 - args[0]
        case "and":
            return int(all(args))
        case "or":
            return int(any(args))
        case "implies":
            return int(not args[0] or bool(args[1]))
        case "==":
            return int(args[0] == args[1])
        case "!=":
            return int(args[0] != args[1])
        case "<":
            return int(args[0] < args[1])
        case "<=":
            return int(args[0] <= args[1])
        case ">":
            return int(args[0] > args[1])
        case ">=":
            return int(args[0] >= args[1])
        case "+":
            return args[0] + args[1]
        case "-":
            return args[0] - args[1]
        case "*":
            return args[0] * args[1]
        case "min":
            return min(args)
        case "max":
            return max(args)
    raise AssertionError(f"no operator {term.op}")


class Way(msgspec.Struct, frozen=True):
    """A transition that may be taken: its number over the controller as written, where it stands, and itself."""

    number: int
    chain: tuple[State, ...]  # the state that declares it, with all around it, outermost first
    transition: Transition


class Outcome(msgspec.Struct, frozen=True):
    """What a step gives: the values after it, and the assignments that left their range."""

    values: Values
    outside: tuple[str, ...]


class _Part:
    """A region made ready to run."""

    def __init__(self, region: Region, first_number: int) -> None:
        self.region = region
        self.chains: dict[str, tuple[State, ...]] = {}
        self.ways: dict[str, list[Way]] = {}
        self.leaves: list[str] = []
        self.count = first_number
        self._collect(region.states, ())

    def _collect(self, states: tuple[State, ...], above: tuple[State, ...]) -> None:
        for state in states:
            chain = (*above, state)
            self.chains[state.name] = chain
            self.ways[state.name] = []
            for t in state.transitions:
                self.ways[state.name].append(Way(self.count, chain, t))
                self.count += 1
            if not state.states:
                self.leaves.append(state.name)
            self._collect(state.states, chain)

    def leaf(self, name: str) -> str:
        """The leaf that is entered with a state."""
        state = self.chains[name][-1]
        return self.leaf(state.initial) if state.states else name


def _each(ranges: list[Range]) -> Iterator[tuple[int, ...]]:
    """Every combination of values, one after the other: a range may be far too long to be written out."""
    if not ranges:
        yield ()
        return
    for first in range(ranges[0].low, ranges[0].high + 1):
        for rest in _each(ranges[1:]):
            yield (first, *rest)


class Interpreter:
    """Steps a controller. A step reads all values as they were, and regions do not see each other's writes."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._parts: list[_Part] = []
        count = 0
        for region in controller.regions:
            self._parts.append(_Part(region, count))
            count = self._parts[-1].count
        self._ranges: dict[str, Range] = {v.name: v.range for v in controller.variables}
        self._ranges |= {t.name: Range("integer", -1, t.limit) for t in controller.timers}
        self.inputs: dict[str, Range] = {i.name: i.range for i in controller.inputs}
        if controller.events:
            self.inputs[EVENT] = words_range((NO_EVENT, *controller.events))

    def starts(self) -> Iterator[Values]:
        """Every state in which it may begin."""
        free = [v for v in self.controller.variables if v.initial is None]
        for chosen in _each([v.range for v in free]):
            yield self.begin({v.name: value for v, value in zip(free, chosen, strict=True)})

    def begin(self, free: Mapping[str, int]) -> Values:
        """The state in which it begins; ``free`` has a value for each variable that may begin with any."""
        values: Values = {p.region.name: p.leaves.index(p.leaf(p.region.initial)) for p in self._parts}
        values |= {v.name: free[v.name] if v.initial is None else v.initial for v in self.controller.variables}
        values |= {t.name: -1 for t in self.controller.timers}
        return self._started(values)

    def _started(self, values: Values) -> Values:
        after = dict(values)
        for part in self._parts:
            chain = part.chains[part.leaf(part.region.initial)]
            own = self._done((a for s in chain for a in s.entry), values, [])
            after |= own
        return after

    def is_start(self, values: Values) -> bool:
        """Whether it may begin so. Free variables keep their value unless an entry action sets them."""
        free = [v.name for v in self.controller.variables if v.initial is None]
        if len(free) <= 2 and all(self._ranges[n].size <= 1000 for n in free):
            return any(s == values for s in self.starts())
        # Too many beginnings to list: the entry actions are run on the values that are claimed.
        return self.begin(values) == values

    def allowed(self, values: Values, inputs: Values) -> bool:
        """Whether the world may set these inputs in this state."""
        inside = all(r.low <= inputs[n] <= r.high for n, r in self.inputs.items())
        both = {**values, **inputs}
        return inside and all(evaluate(a, both) for a in self.controller.assumptions)

    def choices(self, values: Values, inputs: Values) -> list[list[Way]]:
        """For each region the transitions that may be taken; none: it stays. Several compete."""
        both = {**values, **inputs}
        return [self._choices(part, both) for part in self._parts]

    def _choices(self, part: _Part, both: Values) -> list[Way]:
        for state in reversed(part.chains[part.leaves[both[part.region.name]]]):
            enabled = [w for w in part.ways[state.name] if self._enabled(w.transition, both)]
            if enabled:
                first = min(w.transition.priority for w in enabled)
                return [w for w in enabled if w.transition.priority == first]
        return []

    def _enabled(self, t: Transition, both: Values) -> bool:
        if t.event and self.inputs[EVENT].words[both[EVENT]] != t.event:
            return False
        return bool(evaluate(t.guard, both))

    def step(self, values: Values, inputs: Values, taken: list[Way | None]) -> Outcome:
        """The state after a step in which each region takes the given transition (None: it stays)."""
        both = {**values, **inputs}
        after = dict(values)
        for timer in self.controller.timers:
            age = values[timer.name]
            after[timer.name] = age if age < 0 else min(age + 1, timer.limit)
        outside: list[str] = []
        for part, way in zip(self._parts, taken, strict=True):
            if way is None:
                continue
            actions: list[Assignment] = list(way.transition.actions)
            if way.transition.target:
                left = part.chains[part.leaves[values[part.region.name]]]
                named = part.chains[way.transition.target]
                entered = part.leaf(way.transition.target)
                kept = 0
                while kept < min(len(way.chain), len(named)) - 1 and way.chain[kept] is named[kept]:
                    kept += 1
                exits = [a for s in reversed(left[kept:]) for a in s.exit]
                entries = [a for s in part.chains[entered][kept:] for a in s.entry]
                actions = exits + actions + entries
                after[part.region.name] = part.leaves.index(entered)
            after |= self._done(iter(actions), both, outside)
        return Outcome(after, tuple(outside))

    def _done(self, actions: Iterator[Assignment], values: Values, outside: list[str]) -> Values:
        seen = dict(values)
        own: Values = {}
        for action in actions:
            value = evaluate(action.value, seen)
            limits = self._ranges[action.name]
            if not limits.low <= value <= limits.high:
                outside.append(action.name)
                value = limits.clamped(value)
            own[action.name] = seen[action.name] = value
        return own

    def successors(self, values: Values, inputs: Values) -> Iterator[tuple[list[Way | None], Outcome]]:
        """Every step that these inputs allow."""
        ways: list[list[Way | None]] = [[*c] if c else [None] for c in self.choices(values, inputs)]
        for taken in product(*ways):
            yield list(taken), self.step(values, inputs, list(taken))

    def all_inputs(self, values: Values) -> Iterator[Values]:
        """Every input that the world may set in this state. For small controllers."""
        names = list(self.inputs)
        for chosen in _each(list(self.inputs.values())):
            inputs = dict(zip(names, chosen, strict=True))
            if self.allowed(values, inputs):
                yield inputs


def breaks(property: Property, trace: list[Values]) -> bool:
    """Whether the last position of a trace (states with their inputs) breaks the property for certain."""
    if property.kind == "always":
        return not evaluate(property.holds, trace[-1])
    if property.kind == "never":
        return bool(evaluate(property.holds, trace[-1]))
    at = len(trace) - 1 - property.within
    if at < 0:
        return False
    waiting = any(
        evaluate(property.trigger, trace[i]) and not any(evaluate(property.holds, v) for v in trace[i:])
        for i in range(at, -1, -1)
    )
    return waiting
