"""Reasons over state intervals: what people said of a stop beside what the machine said itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from servitwin.domain.reason import Reason
from servitwin.domain.state_time import State, StateInterval

Said = tuple[StateInterval, Reason | None]


def with_reasons(intervals: Iterable[StateInterval], reasons: Sequence[Reason]) -> Iterator[Said]:
    """The same time, cut where a reason begins or ends, each stretch with the reason that holds for it.

    ``intervals`` follow each other in time; ``reasons`` are in force, in the order in which they were said: the later
    one holds. Producing time needs no reason and takes none.
    """
    waiting = sorted(enumerate(reasons), key=lambda r: r[1].start, reverse=True)
    active: list[tuple[int, Reason]] = []
    for interval in intervals:
        while waiting and waiting[-1][1].start < interval.end:
            active.append(waiting.pop())
        active = [r for r in active if r[1].end > interval.start]
        if interval.state is State.PRODUCING or not active:
            yield interval, None
            continue
        edges = {interval.start, interval.end}
        edges |= {e for _, r in active for e in (r.start, r.end) if interval.start < e < interval.end}
        for start, end in pairwise(sorted(edges)):
            holding = [(order, r) for order, r in active if r.start <= start and r.end >= end]
            piece = msgspec.structs.replace(interval, start=start, end=end)
            yield piece, max(holding, key=lambda r: r[0])[1] if holding else None
