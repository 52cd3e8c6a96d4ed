"""One run of a line: a discrete-event simulation with its own event loop.

A part is (time it came in, product). The one kind of event is "a machine has finished a part" (and "a source brings
one"): stops that come with work lengthen the work that they fall into, stops by the calendar and closed hours are one
function of time (``timeline.py``), so that neither needs an event. Blocking is after service: a finished part stays
on its machine until there is a place (manufacturing blocking).
"""

from __future__ import annotations

import gc
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush

import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.line_model import EXIT, WEEK_S, LineModel, Source, Station, check_line
from servitwin.domain.line_result import LineRun, StationRun
from servitwin.services.operation.line_simulation.limits import LOOK_EVERY, MOST_PARTS, Limits
from servitwin.services.operation.line_simulation.machine import (
    BLOCK,
    Draws,
    Machine,
    Tally,
    draws_of,
    endless,
    happens,
    machines_of,
    streams,
)

MOST_EVENTS = 200_000_000
WORTH_COMPILED = 2_000_000  # steps: less are done sooner than their loop is compiled
_NEVER = float("inf")
Part = tuple[float, str]


def simulate(
    model: LineModel,
    seconds: float,
    seed: int,
    *,
    warm_up: float = 0.0,
    replication: int = 0,
    week_s: float = 0.0,
    stop: Callable[[], bool] = lambda: False,
    most_events: int = MOST_EVENTS,
    runs: int = 1,
) -> LineRun:
    """Run a model once, empty at the start.

    Args:
        model: the line; it is checked.
        seconds: simulated time that counts.
        warm_up: simulated seconds before that, which do not count.
        replication: number of the run among those of one seed.
        week_s: second of the week (from Monday 00:00) at which the run begins, warm-up included.
        seed: with the replication it decides all chance. Each station has streams of its own by its id, so that a
            changed model meets the same chance where it is unchanged (common random numbers).
        stop: true ends the run with :class:`Stopped`; asked now and then.
        most_events: after so many steps the run is refused.
        runs: how many such runs are wanted; many steps in all are done by the compiled loop, which gives the same run
            and may have to be compiled first. 0: by the loop in Python whatever it takes.

    Raises:
        InvalidInputError: faults of the model; ``line:too-many-events``, ``line:overflow`` (parts pile up without
            end), ``line:deadlock`` (machines wait for each other).
    """
    faults = check_line(model)
    if not seconds > 0 or not warm_up >= 0:
        hint = "Simulate more than 0 seconds, after a warm-up of 0 or more"
        faults.append(Fault("line:seconds", f"{seconds} s after a warm-up of {warm_up} s", hint, "seconds"))
    if faults:
        raise InvalidInputError(faults)
    end = warm_up + seconds

    def begin() -> _Run:
        return _Run(model, warm_up, end, seed, replication, week_s % WEEK_S, Limits(stop, most_events, end))

    steps = sum(s.machines * end / max(s.cycle.mean, 1e-6) for s in model.stations)
    if steps * runs < WORTH_COMPILED:
        return begin().go()
    from servitwin.services.operation.line_simulation.arrays import BeyondError  # noqa: PLC0415 - it reads the compiler

    try:
        return begin().go_compiled()
    except BeyondError:
        return begin().go()


class _Run:
    def __init__(
        self, model: LineModel, warm: float, end: float, seed: int, replication: int, week_s: float, limits: Limits
    ) -> None:
        self._model, self._limits = model, limits
        self._warm, self._end = warm, end
        random = streams(seed, replication)
        self._index = {s.id: j for j, s in enumerate(model.stations)}
        self._machines = [machines_of(j, s, random, warm, end, week_s, limits) for j, s in enumerate(model.stations)]
        self._routes = [_routes(s, self._index, random(s.id, "route")) for s in model.stations]
        self._scrap = [happens(s.scrap, random(s.id, "scrap")) if s.scrap > 0 else None for s in model.stations]
        self._endless: list[Iterator[str] | None] = [None] * len(model.stations)
        self._supplies: list[int | None] = [None] * len(model.stations)  # number of the source of endless supply
        self._timed: dict[int, tuple[int, Draws[float], Iterator[str]]] = {}
        for i, source in enumerate(model.sources):
            j = self._index[source.to]
            if source.every is None:
                self._endless[j], self._supplies[j] = _products(source), i
            else:
                self._timed[i] = (j, endless(source.every, random(f"source-{i}", source.to)), _products(source))

    def go(self) -> LineRun:
        """Run it, without the collector of cycles: there are none, and it would look for them for ever."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._result(self._events())
        finally:
            if collects:
                gc.enable()

    def go_compiled(self) -> LineRun:
        """The same by the compiled loop; raises ``BeyondError`` where it cannot run the line."""
        from servitwin.services.operation.line_simulation import arrays, loop  # noqa: PLC0415 - as above

        timed = [(i, every) for i, (_, every, _products_of) in self._timed.items()]
        run = arrays.Arrays(self._model, self._machines, self._scrap, self._routes, timed, self._supplies)
        tally, said, t = run.run(self._warm, self._end, self._limits)
        if said == loop.STUCK:
            raise self._stuck(t, run.waiting())
        if said == loop.FULL:
            raise _full(t, MOST_PARTS + 1)
        return self._result(tally)

    def _stuck(self, t: float, full: list[int]) -> InvalidInputError:
        names = ", ".join(self._model.stations[j].id for j in full)
        said = f"After {t:.0f} s every machine waits for another: {names} are full"
        hint = "Give a station in the cycle more places, or take the cycle out"
        return InvalidInputError(Fault("line:deadlock", said, hint, "stations"))

    def _places(self) -> list[float]:
        return [_NEVER if s.places is None else s.places for s in self._model.stations]

    def _events(self) -> Tally:
        """The event loop. Names are local: half of the time would be attribute look-ups."""
        warm, end, look = self._warm, self._end, self._limits.look
        stations = range(len(self._model.stations))
        queues: list[deque[tuple[float, Part]]] = [deque() for _ in stations]
        places = self._places()
        idle = [list(reversed(m)) for m in self._machines]
        waiting: list[deque[tuple[float, Machine | None, Part]]] = [deque() for _ in stations]
        supply, scrap = self._endless, [None if c is None else c.each for c in self._scrap]
        routes = [way if isinstance(way, int) else way.each for way in self._routes]
        tally = Tally.of(len(stations))
        waited, made, scrapped, good = tally.waited, tally.made, tally.scrapped, tally.good
        leads = inside_time = 0.0
        heap: list[tuple[float, int, Machine | None, object]] = []
        number = inside = 0
        todo = list(stations)

        for i, (_, every, _products_of) in self._timed.items():
            number += 1
            heappush(heap, (next(every.each), number, None, i))
        t = 0.0
        while True:
            while todo:  # machines that may have something to begin
                j = todo.pop()
                free, queue, outside = idle[j], queues[j], waiting[j]
                while free:
                    if queue:
                        since, part = queue.popleft()
                        if t > warm:
                            waited[j] += t - (since if since > warm else warm)
                        if outside:
                            queue.append((t, _enter(outside.popleft(), t, warm, idle, todo)))
                    elif outside:
                        part = _enter(outside.popleft(), t, warm, idle, todo)
                    else:
                        products = supply[j]
                        if products is None:
                            break
                        part = (t, next(products))
                        inside += 1
                    machine = free.pop()
                    number += 1
                    plain = machine.plain
                    if plain is None:
                        finish = machine.begin(t, part[1])
                    else:
                        seconds = next(plain)
                        machine.worked += seconds
                        finish = t + seconds
                        if machine.worked < machine.due and t >= warm and finish <= end:
                            machine.working += seconds
                        else:
                            finish = machine.accounted(t, seconds, 0.0)
                    heappush(heap, (finish, number, machine, part))
            if not heap:
                if any(waiting):
                    raise self._stuck(t, [j for j in stations if waiting[j]])
                t = end
                break
            t, _, done, what = heappop(heap)
            if t >= end:
                heap.append((t, 0, done, what))
                break
            if not number & LOOK_EVERY:
                look(number, t)
            if done is None:  # a source brings a part
                assert isinstance(what, int)
                k, every, products_in = self._timed[what]
                part = (t, next(products_in))
                inside += 1
                if inside > MOST_PARTS:
                    raise _full(t, inside)
                if len(queues[k]) < places[k] or (idle[k] and not queues[k]):
                    queues[k].append((t, part))
                else:
                    waiting[k].append((t, None, part))
                todo.append(k)
                number += 1
                heappush(heap, (t + next(every.each), number, None, what))
                continue
            part = what  # type: ignore[assignment]
            j = done.station
            counted = t >= warm
            if counted:
                made[j] += 1
            chance = scrap[j]
            if chance is not None and next(chance):
                if counted:
                    scrapped[j] += 1
                    tally.left_scrap += 1
                k = -1
            else:
                way = routes[j]
                k = way if isinstance(way, int) else next(way)
                if k < 0 and counted:
                    product = part[1]
                    good[product] = good.get(product, 0) + 1
                    leads += t - part[0]
            if k < 0:
                inside -= 1
                if counted:
                    inside_time += t - (part[0] if part[0] > warm else warm)
            elif len(queues[k]) < places[k] or (idle[k] and not queues[k]):
                queues[k].append((t, part))
                if idle[k]:
                    todo.append(k)
            else:
                waiting[k].append((t, done, part))
                continue  # the machine keeps its part
            idle[j].append(done)
            todo.append(j)

        still = [part for queue in queues for _, part in queue]
        still += [part for outside in waiting for _, _, part in outside]
        still += [part for _, _, machine, part in heap if machine is not None]  # type: ignore[misc]
        inside_time += sum(end - max(part[0], warm) for part in still)
        for j, queue in enumerate(queues):
            waited[j] += sum(end - max(since, warm) for since, _ in queue)
        for outside in waiting:
            for since, held, _ in outside:
                if held is not None:
                    held.was_blocked(since, end)
        tally.steps, tally.leads, tally.inside_time = number, leads, inside_time
        return tally

    def _result(self, tally: Tally) -> LineRun:
        span = self._end - self._warm
        parts = sum(tally.good.values())
        rows = []
        for j, station in enumerate(self._model.stations):
            machines = self._machines[j]
            whole = span * len(machines)
            failed_shut = sum(m.timeline.failed(self._warm, self._end) for m in machines if m.timeline)
            closed = sum(m.timeline.closed(self._warm, self._end) for m in machines if m.timeline) - failed_shut
            sums = {k: sum(m.accounts[k] for m in machines) for k in machines[0].accounts}
            sums["work"] += sum(m.working for m in machines)
            failed = sums["failure"] + failed_shut
            blocked = sum(m.blocked for m in machines) + sums["removal"]
            used = sums["work"] + failed + sums["setup"] + sums["pause"] + blocked + closed + sums["supply"]
            starved = max(0.0, whole - used) + sums["supply"]
            rows.append(
                StationRun(
                    station.id, tally.made[j], tally.scrapped[j], sums["work"] / whole, failed / whole,
                    sums["setup"] / whole,
                    sums["pause"] / whole, starved / whole, blocked / whole, closed / whole, tally.waited[j] / span,
                    1.0 - failed / max(whole - closed, 1e-9),
                )
            )  # fmt: skip
        return LineRun(
            span, parts, tally.left_scrap, tally.good, parts / span * 3600.0, tally.inside_time / span,
            tally.leads / parts if parts else 0.0, tuple(rows), tally.steps,
        )  # fmt: skip


def _full(t: float, inside: int) -> InvalidInputError:
    said = f"After {t:.0f} s {inside} parts are in the line: more come in than it can finish"
    return InvalidInputError(Fault("line:overflow", said, "Let parts come less often", "sources"))


def _enter(
    outside: tuple[float, Machine | None, Part], t: float, warm: float, idle: list[list[Machine]], todo: list[int]
) -> Part:
    """A part that waited on its machine for a place has one now; its machine is free."""
    since, machine, part = outside
    if machine is not None:
        machine.was_blocked(since, t)
        idle[machine.station].append(machine)
        todo.append(machine.station)
    return part


def _routes(station: Station, index: dict[str, int], random: np.random.Generator) -> int | Draws[int]:
    """Where parts go: a station's number, -1 for out; an endless choice where there are several."""
    ways = [r for r in station.routes if r.share > 0]
    numbers = [-1 if r.to == EXIT else index[r.to] for r in ways]
    if len(ways) == 1:
        return numbers[0]
    shares = np.array([r.share for r in ways])

    return draws_of(lambda: random.choice(numbers, BLOCK, p=shares / shares.sum()))


def _products(source: Source) -> Iterator[str]:
    if not source.lots:
        return itertools.repeat("")
    return itertools.cycle(itertools.chain.from_iterable(itertools.repeat(p, n) for p, n in source.lots))
