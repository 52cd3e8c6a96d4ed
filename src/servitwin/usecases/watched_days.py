"""Days of watched machines out of history: daily means and events, gathered as the live service gathers them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from operator import is_not
from threading import Lock
from typing import Any, TypeVar

import msgspec
import numpy as np

from servitwin.domain.day_events import DayEvents, Totals
from servitwin.domain.error import Fault, InvalidInputError, UnavailableError
from servitwin.domain.failure_events import MachineEvents, day_means
from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.observation import Cut, Series
from servitwin.domain.state_time_track import observations_of
from servitwin.domain.watched_failures import Watched
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry

PERIOD = 730  # days before today that teach
BEFORE = 730  # days before them in which events are looked for: a renewal counts as if it were no longer ago
_LATE = HOUR  # after the end of a day its data are taken to be complete
_WINDOW = 60 * DAY  # read at once
_MACHINES = 50  # read at once
_MOST_ROWS = 200_000  # of events at once
_MOST_EVENTS = 100_000  # of one kind, of one machine
_HOLDS = 5 * MINUTE  # within which is not looked again whether late data came
_PATIENCE_S = 10.0
_FORGETS = DAY  # after which what nobody asked for is forgotten
T = TypeVar("T")

Pair = tuple[str, str]


class WatchedMachine(msgspec.Struct, frozen=True):
    """A machine and how it is watched.

    Attributes:
        since: ns UTC; earlier days are left out, as they were another owner's.
        repairs: when people say that a part of a component was replaced, ns UTC.
    """

    uid: str
    watched: Watched
    since: int
    repairs: dict[str, list[int]]

    @property
    def key(self) -> Pair:
        """By which its days are kept."""
        return self.uid, msgspec.json.encode(self.watched, order="deterministic").decode()


class _Kept(msgspec.Struct):
    """Days that were read: until ``end``, as known at ``cut``, which was compared ``at``.

    Attributes:
        asked: when somebody asked for them last, ns UTC.
        made: what they were brought into, and what that depends on.
    """

    days: DayEvents
    end: int
    cut: Cut
    at: int
    asked: int
    made: tuple[Hashable, MachineEvents | None] | None = None


class _Made(msgspec.Struct):
    """What was made of days (``means`` of each machine) and of what else it depends ``on``; ``asked`` as above."""

    means: list[list[list[float | None]]]
    on: Hashable
    value: Any
    asked: int


class WatchedDays:
    """Reads each day once, in pieces; what was read stays. Data that come late have their machine read anew.

    What nobody has asked for since a day is forgotten: machines that are gone, or are watched otherwise.
    """

    def __init__(self, history: HistoryReader, registry: Registry) -> None:
        self._history, self._registry = history, registry
        self._kept: dict[Pair, _Kept] = {}
        self._made: dict[Hashable, _Made] = {}
        self._lock = Lock()

    def of(self, machines: Sequence[WatchedMachine], now: int) -> dict[str, MachineEvents]:
        """Whole days of each machine, by uid: from the first of the period that measured anything to the last one.

        Machines of which nothing was measured are left out.

        Raises:
            UnavailableError: ``horizon:being-read``: somebody else has the history read for the first time.
        """
        if not self._lock.acquire(timeout=_PATIENCE_S):
            hint = "Ask again in a minute"
            raise UnavailableError(Fault("horizon:being-read", "Days of watched machines are being read", hint))
        try:
            self._bring(machines, now)
            taken = [self._taken(m, now) for m in machines]
            for key in [k for k, kept in self._kept.items() if now - kept.asked > _FORGETS]:
                del self._kept[key]
        finally:
            self._lock.release()
        found = ((m.uid, _made(m, *each)) for m, each in zip(machines, taken, strict=True))
        return {uid: days for uid, days in found if days is not None}

    def _taken(self, m: WatchedMachine, now: int) -> tuple[_Kept, DayEvents, int]:
        """What is kept, and a copy to make days of while others read on; nothing is copied that was made already."""
        kept = self._kept[m.key]
        kept.asked = now
        done = kept.made is not None and kept.made[0] == _depends(m, kept.end)
        return kept, kept.days if done else kept.days.copy(), kept.end

    def once(self, key: Hashable, of: Iterable[MachineEvents], on: Hashable, make: Callable[[], T], now: int) -> T:
        """What ``make`` makes of machines; made anew once their days, or what else it depends ``on``, have changed."""
        means = [m.means for m in of]
        kept = self._made.get(key)
        if kept is None or kept.on != on or len(kept.means) != len(means) or any(map(is_not, kept.means, means)):
            kept = self._made[key] = _Made(means, on, make(), now)
        kept.asked = now
        for old in [k for k, one in list(self._made.items()) if now - one.asked > _FORGETS]:
            self._made.pop(old, None)
        found: T = kept.value
        return found

    def _bring(self, machines: Sequence[WatchedMachine], now: int) -> None:
        end = (now - _LATE) // DAY * DAY
        self._forget_late(machines, now)
        behind: dict[int, list[WatchedMachine]] = {}
        for m in machines:
            kept = self._kept.get(m.key)
            start = kept.end if kept is not None else end - (PERIOD + BEFORE) * DAY
            if start < end:
                behind.setdefault(start, []).append(m)
        for start, group in behind.items():
            for k in range(0, len(group), _MACHINES):
                self._read(group[k : k + _MACHINES], start, end, now)

    def _forget_late(self, machines: Sequence[WatchedMachine], now: int) -> None:
        """Forget days of machines whose data came after they were read, so that they are read again."""
        old = [(m, k) for m in machines if (k := self._kept.get(m.key)) is not None and now - k.at >= _HOLDS]
        if not old:
            return
        cut, changed = self._history.cut(), dict[tuple[tuple[int, int], ...], dict[str, tuple[int, int]]]()
        for m, kept in old:
            known = tuple(sorted(kept.cut.items()))
            if known not in changed:
                changed[known] = self._history.changed_since(kept.cut)
            late = changed[known].get(m.uid)
            if late is not None and late[0] < kept.end:
                del self._kept[m.key]
            else:
                kept.cut, kept.at = cut, now

    def _read(self, group: Sequence[WatchedMachine], start: int, end: int, now: int) -> None:
        cut = self._history.cut()
        for m in group:
            if m.key not in self._kept:
                days = DayEvents(
                    list(m.watched.means.values()), m.watched.events, None, days=PERIOD + BEFORE, most=_MOST_EVENTS
                )
                self._kept[m.key] = _Kept(days, start, cut, now, now)
        try:
            while start < end:
                until = min(start + _WINDOW, end)
                self._take(group, start, until, max(start, end - PERIOD * DAY), cut, now)
                start = until
        except BaseException:  # a piece that was taken in half would be counted twice
            for m in group:
                del self._kept[m.key]
            raise

    def _take(
        self, group: Sequence[WatchedMachine], start: int, end: int, means_from: int, cut: Cut, now: int
    ) -> None:  # fmt: skip
        means = [(m.uid, s) for m in group for s in set(m.watched.means.values()) if self._is_number(m.uid, s, now)]
        events = [(m.uid, e.signal) for m in group for e in m.watched.events.values()]
        totals = self._totals(means, means_from, end, cut)
        for upto, series in self._events(events, start, end, cut):
            for m in group:
                own = {e.signal: observations_of(series[m.uid, e.signal]) for e in m.watched.events.values()}
                for _ in self._kept[m.key].days.take(own, upto, totals.get(m.uid, {})):
                    pass  # the ends of days matter to who speaks at each
        for m in group:
            self._kept[m.key].end = end

    def _is_number(self, uid: str, signal: str, at: int) -> bool:
        """Flags have no mean that the live service would take."""
        known = self._registry.signals(uid, at).get(signal)
        return known is None or known.type == "number"

    def _totals(self, pairs: Sequence[Pair], start: int, end: int, cut: Cut) -> Mapping[str, Totals]:
        """Sum and count of each day, by uid."""
        found: dict[str, dict[int, dict[str, tuple[float, int]]]] = {}
        if start >= end or not pairs:
            return found
        read = self._history.downsample(pairs, start, end, DAY, ["sum"], cut)
        for (uid, signal), of in read.items():
            for bucket in of["sum"]:
                if bucket.count and bucket.value is not None:
                    day = found.setdefault(uid, {}).setdefault(bucket.start // DAY, {})
                    day[signal] = bucket.value, bucket.count
        return found

    def _events(
        self, pairs: Sequence[Pair], start: int, end: int, cut: Cut
    ) -> Iterator[tuple[int, Mapping[Pair, Series]]]:
        """Series up to an instant, one piece after the other, none with more rows than fit."""
        try:
            yield end, self._history.many_series(pairs, start, end, cut=cut, most=_MOST_ROWS)
        except InvalidInputError as e:
            if e.fault.code != "history:too-many-rows" or end - start < MINUTE:
                raise
            half = (start + end) // 2
            yield from self._events(pairs, start, half, cut)
            yield from self._events(pairs, half, end, cut)


def _depends(m: WatchedMachine, end: int) -> Hashable:
    return end, m.since, msgspec.json.encode(m.repairs, order="deterministic")


def _made(m: WatchedMachine, kept: _Kept, days: DayEvents, end: int) -> MachineEvents | None:
    """The days of a machine as a model looks at them."""
    on, made = _depends(m, end), kept.made
    if made is not None and made[0] == on:
        return made[1]
    seen = days.machine(
        [signal for _, signal in sorted(m.watched.means.items())], sorted(m.watched.errors), m.watched.components,
        m.repairs,
    )  # fmt: skip
    found = _measured(seen, end // DAY - PERIOD, -(-m.since // DAY))
    if found is not None:
        found = msgspec.structs.replace(found, facts=m.watched.facts)
    kept.made = on, found
    return found


def _measured(seen: MachineEvents, first: int, owned: int) -> MachineEvents | None:
    """The days from ``first`` (since 1970) on, without those at both ends on which nothing was measured.

    Events from before stay; nothing does from before the day ``owned``.
    """
    known = ~np.isnan(day_means(seen, len(seen.means[0]) if seen.means else 0))
    days = np.array(known.any(1) if known.shape[1] else np.ones(len(seen.means)), np.bool_)
    days[: max(0, max(first, owned) - seen.first_day)] = False
    at = np.flatnonzero(days)
    if not len(at):
        return None
    begin, end = int(at[0]), int(at[-1]) + 1

    def moved(events: dict[str, list[float]]) -> dict[str, list[float]]:
        least = owned - seen.first_day
        return {n: [round(t - begin, 6) for t in times if t >= least] for n, times in events.items()}

    return msgspec.structs.replace(
        seen, means=seen.means[begin:end], errors=moved(seen.errors), replaced=moved(seen.replaced),
        failed=moved(seen.failed), first_day=seen.first_day + begin,
    )  # fmt: skip
