"""A row of single machines, each behind the other: its parts follow each other, so that no queue of events is needed.

When a part begins at a machine follows from when it came, when the part before left, and when the part ``places`` ahead
of it began at the next machine (departure times of tandem lines with blocking after service; Buzacott and Shanthikumar,
Stochastic Models of Manufacturing Systems, 1993, ch. 5). Chance, accounts and figures are those of the event loop: the
same seed gives the same run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from servitwin.domain.line_model import EXIT, LineModel
from servitwin.services.operation.line_simulation.machine import Machine, Tally

_LOOK_EVERY = 0xFFF
_NEVER = float("inf")


def order_of(model: LineModel) -> list[int] | None:
    """Numbers of the stations as parts pass them, where the line is such a row with an endless supply; else None."""
    index = {s.id: j for j, s in enumerate(model.stations)}
    if len(model.sources) != 1 or model.sources[0].every is not None or any(s.machines != 1 for s in model.stations):
        return None
    order, at = [], model.sources[0].to
    while at != EXIT:
        j = index[at]
        ways = [r.to for r in model.stations[j].routes if r.share > 0]
        if j in order or len(ways) != 1:
            return None
        order.append(j)
        at = ways[0]
    return order if len(order) == len(model.stations) else None


def run_row(
    order: Sequence[int],
    machines: Sequence[Machine],
    places: Sequence[float],
    scrap: Sequence[Iterator[bool] | None],
    products: Iterator[str],
    warm: float,
    end: float,
    look: Callable[[int, float], None],
) -> Tally:
    """Run it from 0 to ``end`` seconds; ``look`` hears of steps and time now and then, and raises to end the run.

    Everything but ``order`` is by the number of the station.
    """
    last = len(order) - 1
    free = [0.0] * len(order)  # when the machine at a place of the row has let its part go; never: it keeps it
    begun = [deque([-1.0], maxlen=max(1, int(places[j]))) if places[j] < _NEVER else None for j in order]
    row = [(p, j, machines[j], scrap[j], begun[p]) for p, j in enumerate(order)]
    rooms = [places[j] for j in order]
    tally = Tally.of(len(order))
    waited, made, good = tally.waited, tally.made, tally.good
    passed = steps = 0
    leads = inside_time = 0.0
    while (enter := free[0]) < end:
        passed += 1
        if not passed & _LOOK_EVERY:
            look(steps, enter)
        came, product = enter, next(products)
        for p, j, machine, chance, starts in row:
            start = free[p]
            if start > enter:  # it waits before the machine
                if start >= end:
                    waited[j] += end - (enter if enter > warm else warm)
                    free[p] = _NEVER
                    if starts is not None:
                        starts.append(_NEVER)
                    inside_time += end - (came if came > warm else warm)
                    break
                if start > warm:
                    waited[j] += start - (enter if enter > warm else warm)
            else:
                start = enter
            if starts is not None:
                starts.append(start)
            steps += 1
            plain = machine.plain
            if plain is None:
                finish = machine.begin(start, product)
            else:
                seconds = next(plain)
                machine.worked = worked = machine.worked + seconds
                finish = start + seconds
                if worked < machine.due and start >= warm and finish <= end:
                    machine.working += seconds
                else:
                    finish = machine.accounted(start, seconds, 0.0)
            if finish >= end:
                free[p] = _NEVER
                inside_time += end - (came if came > warm else warm)
                break
            if finish >= warm:
                made[j] += 1
            if chance is not None and next(chance):
                free[p] = finish
                if finish >= warm:
                    tally.scrapped[j] += 1
                    tally.left_scrap += 1
                    inside_time += finish - (came if came > warm else warm)
                break
            if p == last:
                free[p] = finish
                if finish >= warm:
                    good[product] = good.get(product, 0) + 1
                    leads += finish - came
                    inside_time += finish - (came if came > warm else warm)
                break
            following = begun[p + 1]
            enter = finish
            if following is not None:
                ahead = following[0] if len(following) == rooms[p + 1] else 0.0
                room = ahead if rooms[p + 1] else free[p + 1]
                if room > finish:  # it is blocked: the part stays on its machine
                    enter = room
                    machine.was_blocked(finish, room if room < end else end)
                    if room >= end:
                        free[p] = _NEVER
                        inside_time += end - (came if came > warm else warm)
                        break
            free[p] = enter
    tally.steps, tally.leads, tally.inside_time = steps, leads, inside_time
    return tally
