"""Which cases belong together: violations at one place at one time are one matter for the people who mend it.

Each requirement keeps a case of its own, because each is proven by itself. Cases of one machine are related if they
are of the same component, or of components of which one is part of the other, and the windows of their violations
overlap (:func:`servitwin.domain.case_alarm.window`: a minute before to a minute after). Of those that are related the
most severe one leads, then the one that began first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from servitwin.domain.case import CaseStanding
from servitwin.domain.case_alarm import SEVERITY_RANK, Span, same_place, window


def related(one: CaseStanding, others: Iterable[CaseStanding]) -> list[CaseStanding]:
    """The cases that belong together with one, the leading one first; itself is left out."""
    spans = _merged(one)
    found = [
        o
        for o in others
        if o.case.id != one.case.id
        and o.case.twin == one.case.twin
        and same_place(o.case.component, one.case.component)
        and _overlap(spans, _merged(o))
    ]
    return sorted(found, key=_rank)


def leads(standings: Iterable[CaseStanding]) -> dict[str, str]:
    """For each case that another one leads, the id of that one; a case that leads, or stands alone, is left out."""
    by_twin: dict[str, list[CaseStanding]] = {}
    for s in standings:
        by_twin.setdefault(s.case.twin, []).append(s)
    found: dict[str, str] = {}
    for group in by_twin.values():
        ranked = sorted(group, key=_rank)
        covered: dict[str, _Covered] = {}
        for place, s in enumerate(ranked):
            spans, component = _merged(s), s.case.component
            near = (c.first_in(spans) for path, c in covered.items() if same_place(path, component))
            before = min((n for n in near if n is not None), default=None)
            if before is not None:
                first = ranked[before].case.id
                found[s.case.id] = found.get(first, first)
            covered.setdefault(component, _Covered()).add(spans, place)
    return found


class _Covered:
    """Stretches of time of one component, each with the place of the first case that was added for it."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._places: list[int] = []

    def first_in(self, spans: Iterable[Span]) -> int | None:
        """The least place of a case in those stretches; None: there is none."""
        found: int | None = None
        for start, end in spans:
            i, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
            if i < last:
                least = min(self._places[i:last])
                found = least if found is None else min(found, least)
        return found

    def add(self, spans: Iterable[Span], place: int) -> None:
        """Take in what of the stretches no case covers yet."""
        for start, end in spans:
            at, i = start, bisect_right(self._ends, start)
            while at < end:
                until = min(end, self._starts[i]) if i < len(self._starts) else end
                if at < until:
                    self._starts.insert(i, at)
                    self._ends.insert(i, until)
                    self._places.insert(i, place)
                    i += 1
                at, i = (self._ends[i], i + 1) if i < len(self._ends) else (end, i)


def _rank(s: CaseStanding) -> tuple[bool, int, int, str]:
    """What is proven leads what a service only found."""
    first = s.findings[0].start if s.findings else s.case.opened
    return bool(s.case.source), SEVERITY_RANK[s.case.severity], first, s.case.id


def _merged(s: CaseStanding) -> list[Span]:
    """Windows of its violations, in order and without overlap; one that goes on is a window without end."""
    spans: list[Span] = []
    for f in s.findings:
        start, end = window(f)
        end = end if f.end is not None else (1 << 63) - 1
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _overlap(one: list[Span], other: list[Span]) -> bool:
    i = j = 0
    while i < len(one) and j < len(other):
        if one[i][0] < other[j][1] and other[j][0] < one[i][1]:
            return True
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return False
