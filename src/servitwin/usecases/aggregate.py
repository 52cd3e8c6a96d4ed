"""Aggregates of group twins from live values: incremental, nested, with coverage, corrected when children are late.

The value of an aggregate at a tick T is a function of what its children were at T: of each child that has the
signal the last observation not after T, if it is known, not bad, and not older than ``max_age`` at T. A child group
counts with its own value at T, whatever the age of the messages that led to it. So the same observations give the
same values however they arrive; a child that was late changes values already given, which are given again for the
same time with a higher revision.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from math import fsum, inf

import msgspec

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import NS
from servitwin.domain.observation import Quality
from servitwin.domain.twin import Aggregate, Twin
from servitwin.domain.unit import convert
from servitwin.usecases.registry import Registry, is_alive

TICK = NS  # no group is computed more often
WINDOW = 120 * NS  # how late a child may be and still correct what was given
GRACE = NS // 5  # a tick is computed that long after it, so that what is on the way counts in it at once

Value = float | str | bool | None
Heard = tuple[int, Value, int, int]  # time, value, quality, received: a value as live state has it


class GroupValue(msgspec.Struct, frozen=True):
    """An aggregate's value from ``time`` (ns UTC, a tick) on, until the next one.

    ``fresh`` of ``of`` machines have a value that counts; ``quality`` is uncertain where some are missing, and
    bad where there is no value. ``revision`` grows each time a value is given again for the same time.
    """

    uid: str
    name: str
    time: int
    value: float | None
    quality: Quality
    fresh: int
    of: int
    revision: int = 0


class _Samples:
    """Observations of one signal of one child in order of time; of equal times the last heard holds."""

    __slots__ = ("known", "times", "values")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.values: list[Value] = []
        self.known: list[bool] = []

    def put(self, time: int, value: Value, quality: int) -> bool:
        """Whether this changed anything."""
        known = value is not None and quality != Quality.BAD
        at = bisect_left(self.times, time)
        if at < len(self.times) and self.times[at] == time:
            if self.values[at] == value and self.known[at] == known:
                return False
            self.values[at], self.known[at] = value, known
        else:
            self.times.insert(at, time)
            self.values.insert(at, value)
            self.known.insert(at, known)
        return True

    def forget_before(self, time: int) -> None:
        """Drop all but the last observation not after that time."""
        keep = bisect_right(self.times, time) - 1
        if keep > 0:
            del self.times[:keep], self.values[:keep], self.known[:keep]


class _Group:
    """One group twin: what it gave, and when it must be looked at again."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.given: dict[str, list[GroupValue]] = {a.name: [] for a in twin.aggregates}
        self.changed = True
        self.late_from: float = inf  # earliest tick that late children have changed
        self.due: float = inf  # when a value goes stale, or one from the future begins to count
        self.boundaries: list[int] = []  # when children come, go or change their type


class Aggregates:
    """All groups of a node. ``heard`` for each live value, ``due`` several times a second, ``rebuild`` after changes.

    Holds observations of the last :data:`WINDOW` of signals that some group reads, and nothing of the others.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._samples: dict[tuple[str, str], _Samples] = {}
        self._groups: dict[str, _Group] = {}  # by id of the twin, parts before wholes
        self._parents: dict[str, list[str]] = {}  # uid -> ids of the groups it ever was part of
        self._wanted: dict[str, frozenset[str]] = {}  # uid -> signals that groups read
        self._ticks: list[int] = []
        self.rebuild()

    def rebuild(self) -> None:
        """Take groups, aggregates and children from the registry again; all groups are computed at the next tick."""
        old = self._groups
        every = self._registry.twins(retired=True)
        groups = {t.id: _Group(t) for t in every if t.aggregates}
        self._parents = {}
        wanted: dict[str, set[str]] = {}
        for twin in every:
            for parent in {e.value for e in twin.parent}:
                if parent in groups:
                    group = groups[parent]
                    self._parents.setdefault(twin.uid, []).append(parent)
                    group.boundaries += [t for e in (*twin.parent, *twin.type) for t in (e.start, e.end or 0)]
                    group.boundaries.append(twin.retired or 0)
                    own = {a.name for a in twin.aggregates}
                    names = {n for a in group.twin.aggregates for n in (a.signal, a.weight) if n} - own
                    wanted.setdefault(twin.uid, set()).update(names)
        self._wanted = {uid: frozenset(names) for uid, names in wanted.items()}
        self._samples = {k: s for k, s in self._samples.items() if k[1] in self._wanted.get(k[0], ())}
        for group in groups.values():
            group.boundaries = sorted(set(group.boundaries))
        self._groups = {id: groups[id] for id in _parts_first(groups, self._parents)}
        for id, group in self._groups.items():
            before = old.get(id)
            if before is not None and before.twin.uid == group.twin.uid:
                same = {a.name for a in before.twin.aggregates if a in group.twin.aggregates}
                group.given.update({name: v for name, v in before.given.items() if name in same})

    def wanted(self, group: str, moment: int) -> list[tuple[str, str]]:
        """Twins (uid) and signals that the value of a group (id) at a moment depends on, through groups within it."""
        pairs: list[tuple[str, str]] = []
        seen, left = {group}, [group]
        while left:
            for child in self._registry.children(left.pop(), moment):
                pairs += [(child.uid, name) for name in sorted(self._wanted.get(child.uid, ()))]
                if child.id in self._groups and child.id not in seen:
                    seen.add(child.id)
                    left.append(child.id)
        return pairs

    def heard(self, uid: str, values: Mapping[str, Heard]) -> None:
        """Take what a twin's signals were at their times; twins and signals that no group reads cost nothing."""
        wanted = self._wanted.get(uid)
        if not wanted:
            return
        last = self._ticks[-1] if self._ticks else -1
        for name in wanted & values.keys():
            time, value, quality, _ = values[name]
            samples = self._samples.get((uid, name))
            if samples is None:
                samples = self._samples[(uid, name)] = _Samples()
            if samples.put(time, value, quality):
                self._touch(uid, time if time <= last else inf)

    def due(self, now: int) -> list[GroupValue]:
        """What changed by now (ns UTC): values of the newest tick, and of earlier ones that late children changed.

        Parts come before wholes. Calls within the same second give nothing twice.
        """
        tick = (now - GRACE) // TICK * TICK
        found: list[GroupValue] = []
        previous = self._ticks[-1] if self._ticks else -1
        if tick > previous:
            self._ticks.append(tick)
        for group in self._groups.values():
            if group.late_from < inf and tick > previous:
                found += self._compute_again(group, previous)
            if tick > previous and (group.changed or group.due <= tick or _passed(group, previous, tick)):
                found += self._compute(group, tick)
        if tick > previous:
            self._forget(tick - WINDOW)
        return found

    def values(self, uid: str) -> dict[str, GroupValue]:
        """The latest value of each aggregate of a group twin, as given last."""
        twin = self._registry.by_uid(uid)
        group = self._groups.get(twin.id) if twin is not None else None
        return {name: given[-1] for name, given in group.given.items() if given} if group is not None else {}

    def is_newest(self, time: int) -> bool:
        """Whether that is the newest tick: what is given for earlier ones are corrections."""
        return bool(self._ticks) and time == self._ticks[-1]

    # computing ------------------------------------------------------------------------------------------------

    def _touch(self, uid: str, late_from: float) -> None:
        for parent in self._parents.get(uid, ()):
            group = self._groups[parent]
            if late_from < inf:
                group.late_from = min(group.late_from, late_from)
            group.changed = True

    def _compute(self, group: _Group, tick: int) -> list[GroupValue]:
        group.changed, group.due = False, inf
        return self._compute_at(group, tick)

    def _compute_again(self, group: _Group, until: int) -> list[GroupValue]:
        start, group.late_from = group.late_from, inf
        ticks = self._ticks[bisect_left(self._ticks, start) : bisect_right(self._ticks, until)]
        return [value for tick in ticks for value in self._compute_at(group, tick)]

    def _compute_at(self, group: _Group, tick: int) -> list[GroupValue]:
        if not is_alive(group.twin, tick):
            return []
        children = self._registry.children(group.twin.id, tick)
        found = []
        for aggregate in group.twin.aggregates:
            value = self._value(group, aggregate, children, tick)
            given = _give(group.given[aggregate.name], value)
            if given is not None:
                found.append(given)
        if found:
            self._touch(group.twin.uid, tick if tick < self._ticks[-1] else inf)
        return found

    def _value(self, group: _Group, aggregate: Aggregate, children: Sequence[Twin], tick: int) -> GroupValue:
        numbers: list[float] = []
        weights: list[float] = []
        fresh = of = known = counted = 0
        for child in children:
            part = self._part(group, aggregate.signal, aggregate, child, tick)
            if part is None:
                continue
            counted += 1
            of += part[2]
            weight = 1.0
            if aggregate.weight:
                weighing = self._part(group, aggregate.weight, None, child, tick, aggregate.max_age)
                weight = weighing[0] if weighing is not None and weighing[0] is not None else -1.0
            if part[0] is not None and weight >= 0.0:
                known += 1
                fresh += part[1]
                numbers.append(part[0])
                weights.append(weight)
        value = _combined(aggregate, numbers, weights)
        if aggregate.missing == "unknown" and known < counted:
            value = None
        whole = fresh == of and known == counted
        quality = Quality.BAD if value is None else Quality.GOOD if whole else Quality.UNCERTAIN
        return GroupValue(group.twin.uid, aggregate.name, tick, value, quality, fresh, of)

    def _part(
        self,
        group: _Group,
        signal: str,
        aggregate: Aggregate | None,
        child: Twin,
        tick: int,
        max_age: int | None = None,
    ) -> tuple[float | None, int, int] | None:
        """A child's value, how many machines stand behind it, and how many could; None if it has no such signal."""
        definition = self._registry.signals(child.uid, tick).get(signal)
        if definition is None:
            return None
        nested = self._groups.get(child.id)
        if nested is not None and signal in nested.given:
            given = nested.given[signal]
            at = bisect_right(given, tick, key=lambda g: g.time) - 1
            value, fresh, of = (given[at].value, given[at].fresh, given[at].of) if at >= 0 else (None, 0, 0)
        else:
            limit = aggregate.max_age if aggregate is not None else max_age
            raw = self._sampled(group, (child.uid, signal), tick, limit)
            value, fresh, of = _number(raw), int(raw is not None), 1
        if value is not None and aggregate is not None and aggregate.function != "count":
            value = _converted(value, definition.unit, aggregate.unit)
        return value, fresh if value is not None else 0, of

    def _sampled(self, group: _Group, key: tuple[str, str], tick: int, max_age: int | None) -> Value:
        samples = self._samples.get(key)
        if samples is None:
            return None
        at = bisect_right(samples.times, tick) - 1
        if at + 1 < len(samples.times):
            group.due = min(group.due, samples.times[at + 1])
        if at < 0 or not samples.known[at]:
            return None
        if max_age is not None:
            if tick - samples.times[at] > max_age:
                return None
            group.due = min(group.due, samples.times[at] + max_age + 1)
        return samples.values[at]

    def _forget(self, before: int) -> None:
        del self._ticks[: bisect_left(self._ticks, before)]
        for samples in self._samples.values():
            if len(samples.times) > 1 and samples.times[1] <= before:
                samples.forget_before(before)
        for group in self._groups.values():
            for given in group.given.values():
                while len(given) > 1 and given[1].time <= before:
                    del given[0]


def _give(given: list[GroupValue], new: GroupValue) -> GroupValue | None:
    """Keep a value if it differs from the one that holds at its time; what is to be told, or None."""
    at = bisect_right(given, new.time, key=lambda g: g.time) - 1
    held = given[at] if at >= 0 else None
    if held is not None and (held.value, held.quality, held.fresh, held.of) == (
        new.value, new.quality, new.fresh, new.of,
    ):  # fmt: skip
        return None
    if held is not None and held.time == new.time:
        new = msgspec.structs.replace(new, revision=held.revision + 1)
        given[at] = new
    else:
        given.insert(at + 1, new)
    return new


def _number(value: Value) -> float | None:
    # A count takes any value, so text and flags count as one; formats refuse them for every other function.
    return None if value is None else float(value) if isinstance(value, int | float) else 1.0


def _converted(value: float, unit: str, wanted: str) -> float | None:
    if not unit or not wanted or unit == wanted:
        return value
    try:
        return convert(value, unit, wanted)
    except InvalidInputError:  # a type published since with another kind of unit: such a child counts as missing
        return None


def _combined(aggregate: Aggregate, numbers: list[float], weights: list[float]) -> float | None:
    if aggregate.function == "count":
        return float(len(numbers))
    if not numbers:
        return None
    if aggregate.function == "min":
        return min(numbers)
    if aggregate.function == "max":
        return max(numbers)
    if aggregate.function == "sum":
        return fsum(numbers)
    whole = fsum(weights)
    return fsum(n * w for n, w in zip(numbers, weights, strict=True)) / whole if whole > 0 else None


def _passed(group: _Group, previous: int, tick: int) -> bool:
    return bisect_right(group.boundaries, previous) < bisect_right(group.boundaries, tick)


def _parts_first(groups: Mapping[str, _Group], parents: Mapping[str, Sequence[str]]) -> list[str]:
    """Ids of groups in an order in which each comes before those that it is part of; a ring is cut somewhere."""
    order: list[str] = []
    state: dict[str, int] = {}
    for root in groups:
        stack = [root]
        while stack:
            id = stack[-1]
            if state.get(id) is None:
                state[id] = 1
                stack += [p for p in parents.get(groups[id].twin.uid, ()) if state.get(p) is None]
                continue
            stack.pop()
            if state[id] == 1:
                state[id] = 2
                order.append(id)
    return order[::-1]
