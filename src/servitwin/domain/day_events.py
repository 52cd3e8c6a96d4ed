"""Daily means and events of a machine as they come: what a model of failures within a horizon looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from servitwin.domain.failure_events import MachineEvents
from servitwin.domain.instant import DAY
from servitwin.domain.observation import Observation

KEPT_DAYS = 60
KEPT_EVENTS = 200  # of each kind
ONE_EVENT = 1.0  # days within which a repair that a person tells of is the renewal or failure that a signal tells of
LONGEST_ABSENCE = 400  # days without a word after which the days between are not made


class EventOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something counts as an event: ``signal`` begins to say a text that holds ``says`` (empty: it changes)."""

    signal: str
    says: str = ""


class DayState(msgspec.Struct):
    """What is kept between steps.

    Attributes:
        day: number of the open day since 1970 UTC, None before the first report.
        sums, counts: of each signal in the open day.
        means: of the last whole days (None: not measured), the newest last; ended: number of the day after them.
        events: days with fractions since 1970 at which each event was, by its key.
        last: last value of each event's signal as text.
    """

    day: int | None = None
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    means: list[list[float | None]] = []
    ended: int = 0
    events: dict[str, list[float]] = {}
    last: dict[str, str] = {}


Totals = Mapping[int, Mapping[str, tuple[float, int]]]  # of days since 1970: sum and count of a signal's values


class DayEvents:
    """Counts; any split of the same observations gives the same days.

    ``days``, ``most``: whole days, and events of each kind, of which the last ones are kept.
    """

    def __init__(
        self,
        signals: Sequence[str],
        events: Mapping[str, EventOf],
        state: DayState | None,
        *,
        days: int = KEPT_DAYS,
        most: int = KEPT_EVENTS,
    ) -> None:
        self._signals, self._events, self.state = list(signals), dict(events), state or DayState()
        self._days, self._most = days, most

    def take(
        self, observations: Mapping[str, Sequence[Observation]], watermark: int, totals: Totals | None = None
    ) -> Iterator[int]:
        """Observations before ``watermark`` in order of time; the end (ns UTC) of each day that is over by then.

        ``totals`` come in place of observations of signals of which only the mean is wanted, and belong to whole days
        from the open one on.
        """
        known = {} if totals is None else totals
        wanted = {*self._signals, *(e.signal for e in self._events.values())}
        rows = sorted(
            ((o.time, o.shard, o.seq, o.idx, name, o.value) for name in wanted for o in observations.get(name, ())),
            key=lambda r: (r[:4], r[4]),
        )
        s = self.state
        first = min((d for d, of in known.items() if of), default=None)
        for time, _, _, _, name, value in rows:
            if s.day is None:
                s.day = time // DAY if first is None else min(first, time // DAY)
            yield from self._close(time, known)
            s.day = time // DAY
            if name in self._signals and isinstance(value, int | float) and not isinstance(value, bool):
                s.sums[name] = s.sums.get(name, 0.0) + min(max(float(value), -1e100), 1e100)
                s.counts[name] = s.counts.get(name, 0) + 1
            self._notice(time, name, value)
        s.day = first if s.day is None else s.day
        yield from self._close(watermark, known)

    def copy(self) -> DayEvents:
        """As it is now; what is taken in later does not reach it."""
        s = self.state
        seen = DayState(
            s.day, dict(s.sums), dict(s.counts), list(s.means), s.ended, {k: list(v) for k, v in s.events.items()},
            dict(s.last),
        )  # fmt: skip
        return DayEvents(self._signals, self._events, seen, days=self._days, most=self._most)

    def machine(
        self,
        signals: Sequence[str],
        errors: Sequence[str],
        components: Sequence[str],
        repairs: Mapping[str, Sequence[int]] | None = None,
    ) -> MachineEvents:
        """The last whole days as a model sees them; day 0 is the oldest kept. Keys: ``error:``, ``renewed:``, ...

        ``repairs``: instants (ns UTC) at which people say that a part of a component was replaced. Each is a renewal
        unless a signal told of one, or of a failure, within a day of it.
        """
        s = self.state
        first = s.ended - len(s.means)
        place = {n: k for k, n in enumerate(self._signals)}
        means = [[day[place[n]] if n in place else None for n in signals] for day in s.means]

        def times(kind: str, names: Sequence[str]) -> dict[str, list[float]]:
            return {n: [round(t - first, 6) for t in s.events.get(f"{kind}:{n}", [])] for n in names}

        renewed, failed = times("renewed", components), times("failed", components)
        for name in components:
            known = [*renewed[name], *failed[name]]
            said = sorted(round(at / DAY - first, 6) for at in (repairs or {}).get(name, ()))
            for at in said:
                if all(abs(at - t) > ONE_EVENT for t in known):
                    known.append(at)
                    renewed[name] = sorted([*renewed[name], at])
        return MachineEvents("", means, times("error", errors), renewed, failed, first_day=first)

    def _close(self, until: int, totals: Totals) -> Iterator[int]:
        s = self.state
        if s.day is None or until // DAY <= s.day:
            return
        over = until // DAY
        if over - s.day > LONGEST_ABSENCE:  # it was gone: it begins anew, its renewals are not forgotten
            s.means, s.day = [], over - 1
            s.sums, s.counts = {}, {}
        while s.day < over:
            for name, (total, count) in totals.get(s.day, {}).items():
                s.sums[name], s.counts[name] = s.sums.get(name, 0.0) + total, s.counts.get(name, 0) + count
            s.means.append([s.sums[n] / s.counts[n] if s.counts.get(n) else None for n in self._signals])
            del s.means[: -self._days]
            s.sums, s.counts = {}, {}
            s.day += 1
            s.ended = s.day
            yield s.day * DAY

    def _notice(self, time: int, name: str, value: float | str | bool | None) -> None:
        s = self.state
        told = "" if value is None else str(value)
        before = s.last.get(name)
        for key, event in self._events.items():
            if event.signal != name or value is None:
                continue
            if event.says:
                happens = event.says in told and event.says not in (before or "")
            else:
                happens = before is not None and told != before
            if happens:
                at = s.events.setdefault(key, [])
                at.append(time / DAY)
                del at[: -self._most]
        if value is not None and any(e.signal == name for e in self._events.values()):
            s.last[name] = told
