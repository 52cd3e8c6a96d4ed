"""The event loop of ``run.py`` in machine code: the same steps, in the same order, on arrays with a named row a thing.

It stops where Python has to do something (draw more chance, make room for parts, ask whether the run is still wanted)
and goes on when it is called again. ``arrays.py`` fills the arrays and reads them.
"""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Floats, Int64s
from servitwin.services.operation.compiled import kernel
from servitwin.services.operation.line_simulation.limits import MOST_PARTS

# Rows are named here, beside the code that is kept compiled: who changes them compiles anew.
# counts: events so far, parts in the line, depth of the stack of stations, of the heap, first unused part and how many
NUMBER, INSIDE, AWAITED, HEAP, UNUSED, UNUSED_COUNT, LOW, BEYOND, STOPS, LEFT_SCRAP, COUNTS = range(11)
CLOCK, LEADS, INSIDE_TIME, SUMS = range(4)
AT, LOW_AT, DRAWN, STREAM = range(4)  # of a stream: next draw, from where on it is low, how many there are
STATION, LAST, STOPS_FROM, STOPS_TO, SPANS_FROM, SPANS_COUNT, PLAIN, MACHINE = range(8)
DUE, WORKED, WORKING, BLOCKED, ACCOUNTS = range(5)  # seconds of a machine; its accounts follow
KINDS = ("work", "failure", "setup", "pause", "supply", "removal")
WORK, SETUP_KIND = KINDS.index("work"), KINDS.index("setup")
KIND, LASTING, EVERY, STOP = range(4)
HEAD, TAIL, LENGTH = range(3)  # of a queue; those of a station: its parts, and those that wait for a place in it
QUEUE, OUTSIDE, IDLE_FROM, IDLE, SCRAP, ROUTE, WAY, SUPPLY, SETUP, MADE, SCRAPPED, STATIONS = 0, 3, *range(6, 16)
PLACES, WAITED = range(2)
TO, BETWEEN, LOT, LEFT, LOTS_FROM, LOTS_TO, SOURCE = range(7)
PRODUCT, NEXT, HOLDER, PART = range(4)
CAME, SINCE = range(2)
ORDER, WHO, WHAT, EVENT = range(4)  # of an event: its number, its machine (-1: a source), its part or source
START, END, BEFORE, WORKED_BY, SPAN = range(5)
PAUSED, ENDED, STUCK, FULL = range(4)
MARGIN = 64  # draws of a stream that one step may take: it stops for more before they are fewer
_AT_ONCE = 1 << 14  # events until Python is asked whether the run is still wanted
NONE = -1


@kernel
def go_on(
    counts: Int64s,
    sums: Floats,
    streams: Int64s,
    blocks: Floats,
    machines: Int64s,
    times: Floats,
    stops: Int64s,
    due: Floats,
    stations: Int64s,
    rooms: Floats,
    cycles: Int64s,
    sources: Int64s,
    lots: Int64s,
    good: Int64s,
    idle: Int64s,
    awaited: Int64s,
    parts: Int64s,
    moments: Floats,
    heap: Int64s,
    when: Floats,
    spans: Floats,
    fallen: Floats,
    warm: float,
    end: float,
) -> int:
    """Until Python is needed (``PAUSED``), it is over (``ENDED``), ``FULL``, or all wait for each other (``STUCK``)."""
    events = 0
    t = sums[CLOCK]
    while True:
        while counts[AWAITED] > 0:
            j = awaited[counts[AWAITED] - 1]
            counts[AWAITED] -= 1
            while stations[IDLE, j] > 0:
                if counts[LOW] or counts[BEYOND] or counts[UNUSED_COUNT] < 2:
                    _remember(counts, awaited, j)
                    sums[CLOCK] = t
                    return PAUSED
                if stations[QUEUE + LENGTH, j] > 0:
                    part = _taken(stations, parts, QUEUE, j)
                    if t > warm:
                        rooms[WAITED, j] += t - max(moments[SINCE, part], warm)
                    if stations[OUTSIDE + LENGTH, j] > 0:
                        came_in = _enter(
                            counts, stations, machines, times, parts, moments, idle, awaited, spans, j, t, warm
                        )
                        moments[SINCE, came_in] = t
                        _put(stations, parts, QUEUE, j, came_in)
                elif stations[OUTSIDE + LENGTH, j] > 0:
                    part = _enter(counts, stations, machines, times, parts, moments, idle, awaited, spans, j, t, warm)
                elif stations[SUPPLY, j] >= 0:
                    part = _made(counts, sources, lots, parts, moments, stations[SUPPLY, j], t)
                else:
                    break
                stations[IDLE, j] -= 1
                m = idle[stations[IDLE_FROM, j] + stations[IDLE, j]]
                counts[NUMBER] += 1
                finish = _begun(
                    counts, streams, blocks, machines, times, stops, due, stations, cycles, spans, fallen, m, t,
                    parts[PRODUCT, part], warm, end,
                )  # fmt: skip
                push(counts, heap, when, finish, counts[NUMBER], m, part)
        sums[CLOCK] = t
        if counts[HEAP] == 0:
            for k in range(stations.shape[1]):
                if stations[OUTSIDE + LENGTH, k] > 0:
                    return STUCK
            sums[CLOCK] = end
            return ENDED
        events += 1
        if counts[LOW] or counts[BEYOND] or counts[UNUSED_COUNT] < 2 or events > _AT_ONCE:
            return PAUSED
        if when[0] >= end:
            return ENDED
        t = when[0]
        m, part = heap[WHO, 0], heap[WHAT, 0]
        _pop(counts, heap, when)
        if m == NONE:
            source = part
            k = sources[TO, source]
            part = _made(counts, sources, lots, parts, moments, source, t)
            if counts[INSIDE] > MOST_PARTS:
                sums[CLOCK] = t
                return FULL
            moments[SINCE, part] = t
            length = stations[QUEUE + LENGTH, k]
            if length < rooms[PLACES, k] or (stations[IDLE, k] > 0 and length == 0):
                _put(stations, parts, QUEUE, k, part)
            else:
                parts[HOLDER, part] = NONE
                _put(stations, parts, OUTSIDE, k, part)
            _remember(counts, awaited, k)
            counts[NUMBER] += 1
            following = t + _drawn(counts, streams, blocks, sources[BETWEEN, source])
            push(counts, heap, when, following, counts[NUMBER], NONE, source)
            continue
        j = machines[STATION, m]
        counted = t >= warm
        if counted:
            stations[MADE, j] += 1
        if stations[SCRAP, j] >= 0 and _drawn(counts, streams, blocks, stations[SCRAP, j]) > 0.0:
            if counted:
                stations[SCRAPPED, j] += 1
                counts[LEFT_SCRAP] += 1
            k = NONE
        else:
            k = stations[ROUTE, j]
            if stations[WAY, j] >= 0:
                k = int(_drawn(counts, streams, blocks, stations[WAY, j]))
            if k < 0 and counted:
                good[parts[PRODUCT, part]] += 1
                sums[LEADS] += t - moments[CAME, part]
        if k < 0:
            counts[INSIDE] -= 1
            if counted:
                sums[INSIDE_TIME] += t - max(moments[CAME, part], warm)
            parts[NEXT, part] = counts[UNUSED]
            counts[UNUSED] = part
            counts[UNUSED_COUNT] += 1
        else:
            moments[SINCE, part] = t
            length = stations[QUEUE + LENGTH, k]
            if length < rooms[PLACES, k] or (stations[IDLE, k] > 0 and length == 0):
                _put(stations, parts, QUEUE, k, part)
                if stations[IDLE, k] > 0:
                    _remember(counts, awaited, k)
            else:
                parts[HOLDER, part] = m  # the machine keeps its part
                _put(stations, parts, OUTSIDE, k, part)
                continue
        idle[stations[IDLE_FROM, j] + stations[IDLE, j]] = m
        stations[IDLE, j] += 1
        _remember(counts, awaited, j)


@kernel
def _drawn(counts: Int64s, streams: Int64s, blocks: Floats, stream: int) -> float:
    at = streams[AT, stream]
    if at >= streams[DRAWN, stream]:
        counts[BEYOND] = 1
        return 0.0
    streams[AT, stream] = at + 1
    if at + 1 >= streams[LOW_AT, stream]:
        counts[LOW] = 1
    return float(blocks[stream, at])


@kernel
def _made(counts: Int64s, sources: Int64s, lots: Int64s, parts: Int64s, moments: Floats, source: int, t: float) -> int:
    """A part that a source brings: the next product of its lots."""
    part = counts[UNUSED]
    counts[UNUSED] = parts[NEXT, part]
    counts[UNUSED_COUNT] -= 1
    counts[INSIDE] += 1
    lot = sources[LOT, source]
    parts[PRODUCT, part] = lots[0, lot]
    sources[LEFT, source] -= 1
    if sources[LEFT, source] == 0:
        lot = lot + 1 if lot + 1 < sources[LOTS_TO, source] else sources[LOTS_FROM, source]
        sources[LOT, source], sources[LEFT, source] = lot, lots[1, lot]
    moments[CAME, part] = t
    return int(part)


@kernel
def _begun(
    counts: Int64s, streams: Int64s, blocks: Floats, machines: Int64s, times: Floats, stops: Int64s, due: Floats,
    stations: Int64s, cycles: Int64s, spans: Floats, fallen: Floats, m: int, t: float, product: int, warm: float,
    end: float,
) -> float:  # fmt: skip
    """``Machine.begin``: when it will have finished a part that it begins at ``t``; the time goes to its accounts."""
    j = machines[STATION, m]
    work = _drawn(counts, streams, blocks, cycles[j, product])
    setup = 0.0
    if product != machines[LAST, m]:
        if stations[SETUP, j] >= 0 and machines[LAST, m] > 0:
            setup = _drawn(counts, streams, blocks, stations[SETUP, j])
        machines[LAST, m] = product
    times[WORKED, m] += work
    if machines[PLAIN, m] and times[WORKED, m] < times[DUE, m] and t >= warm and t + work <= end:
        times[WORKING, m] += work
        return t + work
    total = work + setup
    fell = 0
    if times[WORKED, m] >= times[DUE, m]:
        soonest = np.inf
        for k in range(machines[STOPS_FROM, m], machines[STOPS_TO, m]):
            while times[WORKED, m] >= due[k]:
                if fell == fallen.shape[1] or counts[BEYOND]:
                    counts[BEYOND] = 1
                    return t + total
                lasting = _drawn(counts, streams, blocks, stops[LASTING, k])
                fallen[0, fell], fallen[1, fell] = stops[KIND, k], lasting
                fell += 1
                total += lasting
                due[k] += _drawn(counts, streams, blocks, stops[EVERY, k])
            soonest = min(soonest, due[k])
        times[DUE, m] = soonest
        counts[STOPS] += fell
    finish = t + total
    if machines[SPANS_COUNT, m] >= 0:
        wanted = t - _shut_until(spans, machines[SPANS_FROM, m], machines[SPANS_COUNT, m], t) + total
        first = machines[SPANS_FROM, m]
        finish = wanted + spans[BEFORE, _after(spans, WORKED_BY, first, machines[SPANS_COUNT, m], wanted - 1e-9)]
    share = 1.0
    if t < warm or finish > end:
        share = max(0.0, min(finish, end) - max(t, warm)) / (finish - t) if finish > t else 0.0
    times[ACCOUNTS + WORK, m] += work * share
    if setup:
        times[ACCOUNTS + SETUP_KIND, m] += setup * share
    for i in range(fell):
        times[ACCOUNTS + int(fallen[0, i]), m] += fallen[1, i] * share
    return finish


@kernel
def _after(spans: Floats, row: int, first: int, count: int, t: float) -> int:
    """``bisect_right`` among the spans of a machine."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) // 2
        if t < spans[row, middle]:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _shut_until(spans: Floats, first: int, count: int, t: float) -> float:
    """``Timeline``: seconds before ``t`` in which a machine cannot work."""
    i = _after(spans, START, first, count, t)
    return spans[BEFORE, i] - max(0.0, spans[END, i - 1] - t) if i > first else 0.0


@kernel
def _enter(
    counts: Int64s, stations: Int64s, machines: Int64s, times: Floats, parts: Int64s, moments: Floats, idle: Int64s,
    awaited: Int64s, spans: Floats, j: int, t: float, warm: float,
) -> int:  # fmt: skip
    """A part that waited for a place has one now; the machine that kept it is free."""
    part = _taken(stations, parts, OUTSIDE, j)
    m = parts[HOLDER, part]
    if m != NONE:
        begin = max(moments[SINCE, part], warm)
        if t > begin:
            first, count = machines[SPANS_FROM, m], machines[SPANS_COUNT, m]
            shut = 0.0
            if count >= 0:
                shut = _shut_until(spans, first, count, t) - _shut_until(spans, first, count, begin)
            times[BLOCKED, m] += t - begin - shut
        k = machines[STATION, m]
        idle[stations[IDLE_FROM, k] + stations[IDLE, k]] = m
        stations[IDLE, k] += 1
        _remember(counts, awaited, k)
    return part


@kernel
def _remember(counts: Int64s, awaited: Int64s, j: int) -> None:
    """A station may have something to begin."""
    if counts[AWAITED] == len(awaited):
        counts[BEYOND] = 1
        return
    awaited[counts[AWAITED]] = j
    counts[AWAITED] += 1


@kernel
def _put(stations: Int64s, parts: Int64s, queue: int, j: int, part: int) -> None:
    parts[NEXT, part] = NONE
    if stations[queue + LENGTH, j] == 0:
        stations[queue + HEAD, j] = part
    else:
        parts[NEXT, stations[queue + TAIL, j]] = part
    stations[queue + TAIL, j] = part
    stations[queue + LENGTH, j] += 1


@kernel
def _taken(stations: Int64s, parts: Int64s, queue: int, j: int) -> int:
    part = stations[queue + HEAD, j]
    stations[queue + HEAD, j] = parts[NEXT, part]
    stations[queue + LENGTH, j] -= 1
    return int(part)


@kernel
def push(counts: Int64s, heap: Int64s, when: Floats, t: float, order: int, who: int, what: int) -> None:
    """Into the heap of events, the earliest first, of those at once the one that was made first."""
    at = counts[HEAP]
    counts[HEAP] += 1
    while at > 0:
        up = (at - 1) // 2
        if when[up] < t or (when[up] == t and heap[ORDER, up] < order):
            break
        when[at] = when[up]
        for row in range(EVENT):
            heap[row, at] = heap[row, up]
        at = up
    when[at], heap[ORDER, at], heap[WHO, at], heap[WHAT, at] = t, order, who, what


@kernel
def _pop(counts: Int64s, heap: Int64s, when: Floats) -> None:
    """The earliest event leaves the heap: the last one takes the place to which earlier ones make way."""
    last = counts[HEAP] - 1
    counts[HEAP] = last
    t, order = when[last], heap[ORDER, last]
    at, child = 0, 1
    while child < last:
        right = child + 1
        if right < last and (
            when[right] < when[child] or (when[right] == when[child] and heap[ORDER, right] < heap[ORDER, child])
        ):
            child = right
        if t < when[child] or (t == when[child] and order < heap[ORDER, child]):
            break
        when[at] = when[child]
        for row in range(EVENT):
            heap[row, at] = heap[row, child]
        at, child = child, 2 * child + 1
    when[at] = t
    for row in range(EVENT):
        heap[row, at] = heap[row, last]
