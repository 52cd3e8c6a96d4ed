"""A controller without hierarchy: what one step does, exactly.

Each region becomes a word variable over its leaf states. A transition of a composite state becomes one transition for
each leaf inside, with the exit actions of all that is left (inner first), its own, and the entry actions of all that
is entered (outer first). Inner states go before outer ones, then the smaller priority number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from servitwin.domain.controller import EVENT, NO_EVENT, Controller, Region, State, Transition, leaves_of
from servitwin.domain.controller_meaning import Assignment
from servitwin.domain.controller_term import (
    TRUE,
    Apply,
    Range,
    Term,
    all_of,
    is_value,
    names_in,
    number,
    substituted,
    words_range,
)
from servitwin.domain.error import Fault, InvalidInputError

MAX_TRANSITIONS = 20_000
MAX_COMPETING = 60  # transitions of one state with one priority: every pair is asked whether both can be enabled


class FlatTransition(msgspec.Struct, frozen=True):
    """A transition between two leaf states.

    Attributes:
        region: its region.
        source: leaf it leaves, as the number of its word.
        target: leaf it enters.
        guard: condition with the event in it.
        assigns: what each name becomes, all on the values before the step (actions in order are folded into one).
        rank: smaller goes first; equal ones of one source compete.
        number: of the transition as written, from 0 over the whole controller; several flat ones can share it.
        label: how people read it.
        checks: (name, value) of each assignment on the way, for the range check.
    """

    region: str
    source: int
    target: int
    guard: Term
    assigns: tuple[tuple[str, Term], ...]
    rank: int
    number: int
    label: str
    checks: tuple[tuple[str, Term], ...] = ()


class FlatController(msgspec.Struct, frozen=True):
    """What a step reads and writes.

    Attributes:
        state: range of every region, variable and timer, in this order: what is remembered between steps.
        inputs: range of every input; the event is one of them where events are declared.
        initial: value of each name of ``state`` at the start; None: any value.
        start: entry actions of the initial states, folded, on the initial values.
        timers: names that age by one each step unless assigned.
        transitions: all of them, by region and source.
        labels: of the transitions as written, by number.
        saturating: names whose range may be left on purpose.
        finals: for each region, the leaves where staying for ever is meant.
    """

    controller: Controller
    state: dict[str, Range]
    inputs: dict[str, Range]
    initial: dict[str, int | None]
    start: tuple[tuple[str, Term], ...]
    timers: frozenset[str]
    transitions: tuple[FlatTransition, ...]
    labels: tuple[str, ...]
    saturating: frozenset[str]
    finals: dict[str, frozenset[int]]

    @property
    def names(self) -> dict[str, Range]:
        """Ranges of all that a term can read."""
        return {**self.state, **self.inputs}


class _Place(msgspec.Struct, frozen=True):
    """A state with all that it lies in, outermost first; the last one is itself."""

    chain: tuple[State, ...]

    @property
    def state(self) -> State:
        return self.chain[-1]


def region_ranges(regions: Iterable[Region]) -> dict[str, Range]:
    """Each region as a word over its leaf states."""
    return {r.name: words_range(tuple(n for n, _ in leaves_of(r.states))) for r in regions}


def input_ranges(controller: Controller) -> dict[str, Range]:
    """Ranges of the inputs, the event among them where there are events."""
    found = {i.name: i.range for i in controller.inputs}
    if controller.events:
        found[EVENT] = words_range((NO_EVENT, *controller.events))
    return found


def flatten(controller: Controller) -> FlatController:
    """The controller without hierarchy.

    Raises:
        InvalidInputError: ``controller:written-twice`` where two regions assign one name (their order would matter),
            ``controller:too-large``, ``controller:state-unknown``, ``controller:initial-reads-input``.
    """
    ranges = region_ranges(controller.regions)
    state: dict[str, Range] = dict(ranges)
    state |= {v.name: v.range for v in controller.variables}
    state |= {t.name: t.range for t in controller.timers}
    initial: dict[str, int | None] = {v.name: v.initial for v in controller.variables}
    initial |= {t.name: -1 for t in controller.timers}
    inputs = input_ranges(controller)
    transitions: list[FlatTransition] = []
    labels: list[str] = []
    finals: dict[str, frozenset[int]] = {}
    start: list[Assignment] = []
    for region in controller.regions:
        flat = _Region(region, ranges[region.name], inputs, state)
        found = flat.transitions(labels)
        transitions += found
        finals[region.name] = flat.finals
        first = flat.initial(region.initial)
        initial[region.name] = ranges[region.name].words.index(first.state.name)
        start += [a for s in first.chain for a in s.entry]
        if len(transitions) > MAX_TRANSITIONS:
            message = f"More than {MAX_TRANSITIONS} transitions between leaf states"
            raise InvalidInputError(Fault("controller:too-large", message, "Divide the controller"))
    _refuse_two_writers(controller, transitions)
    _refuse_crowds(transitions, ranges)
    folded, _ = _folded(start, state)
    return FlatController(
        controller,
        state,
        inputs,
        {name: initial[name] for name in state},
        _without_inputs(folded, inputs),
        frozenset(t.name for t in controller.timers),
        tuple(transitions),
        tuple(labels),
        frozenset(v.name for v in controller.variables if v.saturates),
        finals,
    )


def _refuse_crowds(transitions: list[FlatTransition], ranges: dict[str, Range]) -> None:
    crowds = Counter((t.region, t.source, t.rank) for t in transitions)
    for (region, source, _), count in crowds.items():
        if count > MAX_COMPETING:
            message = f"{count} transitions of {region}.{ranges[region].words[source]} have the same priority"
            raise InvalidInputError(Fault("controller:too-large", message, "Give them different priorities"))


def _without_inputs(folded: dict[str, Term], inputs: dict[str, Range]) -> tuple[tuple[str, Term], ...]:
    for name, term in folded.items():
        for read in names_in(term):
            if read in inputs:
                message = f"An entry action of an initial state sets {name!r} from the input {read!r}"
                hint = "At the start no input has been read yet: begin in a state without this action"
                raise InvalidInputError(Fault("controller:initial-reads-input", message, hint))
    return tuple(folded.items())


def _refuse_two_writers(controller: Controller, transitions: list[FlatTransition]) -> None:
    writers: dict[str, str] = {}
    for t in transitions:
        for name, _ in t.assigns:
            first = writers.setdefault(name, t.region)
            if first != t.region:
                message = f"{name!r} is assigned in the regions {first!r} and {t.region!r}"
                hint = "Regions step together: let one of them own the variable"
                raise InvalidInputError(Fault("controller:written-twice", message, hint))
    for region in controller.regions:
        for state in _all_states(region.states):
            for action in state.entry:
                if writers.setdefault(action.name, region.name) != region.name:
                    message = f"{action.name!r} is assigned in the regions {writers[action.name]!r} and {region.name!r}"
                    raise InvalidInputError(Fault("controller:written-twice", message, "Let one region own it"))


def _all_states(states: tuple[State, ...]) -> Iterable[State]:
    for state in states:
        yield state
        yield from _all_states(state.states)


def _folded(actions: Iterable[Assignment], ranges: dict[str, Range]) -> tuple[dict[str, Term], list[tuple[str, Term]]]:
    """Actions in order as one simultaneous assignment, and every (name, value) on the way, over the old values.

    A value outside its range is brought to the nearest bound before the next action reads it.
    """
    values: dict[str, Term] = {}
    checks: list[tuple[str, Term]] = []
    for action in actions:
        value = substituted(action.value, values)
        checks.append((action.name, value))
        values[action.name] = clamped(value, ranges[action.name])
    return values, checks


def clamped(term: Term, range: Range) -> Term:
    """The term kept inside a range."""
    if range.kind != "integer":
        return term
    low, high = term.range.low, term.range.high
    if high > range.high:
        top = Range("integer", min(low, range.high), range.high)
        term = Apply("min", (term, number(range.high)), top)
    if low < range.low:
        term = Apply("max", (term, number(range.low)), Range("integer", range.low, max(term.range.high, range.low)))
    return term


class _Region:
    def __init__(self, region: Region, range: Range, inputs: dict[str, Range], ranges: dict[str, Range]) -> None:
        self._region = region
        self._range = range
        self._inputs = inputs
        self._ranges = ranges
        self._places: dict[str, _Place] = {}
        self._collect(region.states, ())
        leaves = [self._places[w] for w in range.words]
        self.finals = frozenset(i for i, p in enumerate(leaves) if any(s.final for s in p.chain))
        self._leaves = leaves

    def _collect(self, states: tuple[State, ...], above: tuple[State, ...]) -> None:
        for state in states:
            self._places[state.name] = _Place((*above, state))
            self._collect(state.states, (*above, state))

    def initial(self, name: str) -> _Place:
        """The leaf that is entered when this state is."""
        place = self._places.get(name)
        if place is None:
            message = f"The region {self._region.name!r} has no state {name!r}"
            raise InvalidInputError(Fault("controller:state-unknown", message, "Name one of its states"))
        return self.initial(place.state.initial) if place.state.states else place

    def transitions(self, labels: list[str]) -> list[FlatTransition]:
        """Flat transitions of the region by source; ``labels`` grows by those written."""
        deepest = max(len(p.chain) for p in self._places.values())
        written: list[tuple[int, _Place, Transition]] = []
        for place in self._places.values():
            for t in place.state.transitions:
                written.append((len(labels), place, t))
                labels.append(self._label(place.state, t))
        found: list[FlatTransition] = []
        for source, leaf in enumerate(self._leaves):
            for index, place, t in written:
                if any(s is place.state for s in leaf.chain):
                    rank = (deepest - len(place.chain)) * 1000 + t.priority
                    found.append(self._flat(source, leaf, place, t, rank, index, labels[index]))
        return found

    def _label(self, state: State, t: Transition) -> str:
        way = f"{state.name} -> {t.target}" if t.target else f"{state.name} (stays)"
        return f"{self._region.name}: {t.name or way}" if not t.name else f"{self._region.name}: {way} [{t.name}]"

    def _flat(
        self, source: int, leaf: _Place, place: _Place, t: Transition, rank: int, number: int, label: str
    ) -> FlatTransition:
        actions = t.actions
        target = source
        if t.target:
            entered = self.initial(t.target)
            named = self._places[t.target]
            common = _common(place.chain, named.chain)
            left = [a for s in reversed(leaf.chain[common:]) for a in s.exit]
            into = [a for s in entered.chain[common:] for a in s.entry]
            actions = (*left, *actions, *into)
            target = self._range.words.index(entered.state.name)
        folded, checks = _folded(actions, self._ranges)
        guard = all_of([self._on_event(t.event), t.guard])
        return FlatTransition(
            self._region.name, source, target, guard, tuple(folded.items()), rank, number, label, tuple(checks)
        )

    def _on_event(self, event: str) -> Term:
        if not event:
            return TRUE
        range = self._inputs[EVENT]
        return is_value(EVENT, range, range.words.index(event))


def _common(source: tuple[State, ...], target: tuple[State, ...]) -> int:
    """How many states around both stay: proper ancestors of source and target alone (SCXML 3.13, LCCA)."""
    count = 0
    for a, b in zip(source[:-1], target[:-1], strict=False):
        if a is not b:
            break
        count += 1
    return count
