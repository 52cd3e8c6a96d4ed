"""What a machine is planned to do: the neutral form in which a production schedule meets maintenance.

Whoever plans production says when each machine is planned to work and by which order it is taken; whoever plans
maintenance reads from it what a stop costs, and gives back the stretches that it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR
from servitwin.domain.money import CURRENCIES
from servitwin.domain.observation import Floats, Int64s
from servitwin.domain.state_time_span import Spans

MOST_COST = Decimal(10) ** 12
"""Of an hour, a visit, a wait: what is above it is a slip of the pen, and too much for exact sums in floats."""


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch [start, end), ns UTC, in which an order takes the machine.

    Attributes:
        order: id of the production order, empty if it is not known.
        cost_per_hour: what an hour lost here costs; None: as the machine says for work that is disturbed.
        fixed: nothing else may be placed here, at no cost (a delivery promised, a set-up that cannot be broken off).
    """

    start: int
    end: int
    order: str = ""
    cost_per_hour: Decimal | None = None
    fixed: bool = False


class MachineOccupation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One machine's planned time.

    Attributes:
        machine: id of its twin.
        currency: of both costs (ISO 4217).
        busy_cost_per_hour: what an hour costs that is lost while an order takes the machine.
        idle_cost_per_hour: what an hour of planned working time costs in which no order takes it; usually 0.
        working: planned working time, stretches [start, end) in ns UTC; outside of it a stop costs nothing.
        taken: by which orders, and by maintenance that is agreed already.
        known_until: where the schedule ends (ns UTC); later working time counts as taken, for it will be sold.
            0: the schedule is known throughout.
    """

    machine: str
    currency: str
    busy_cost_per_hour: Decimal
    idle_cost_per_hour: Decimal = Decimal(0)
    working: tuple[tuple[int, int], ...] = ()
    taken: tuple[Taken, ...] = ()
    known_until: int = 0


def check_occupation(occupation: MachineOccupation, where: str = "") -> list[Fault]:
    """All faults of a machine's planned time at once."""
    at, name = f"{where}." if where else "", occupation.machine
    faults = []
    if occupation.currency not in CURRENCIES:
        message = f"There is no currency {occupation.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", f"{at}currency"))
    for field in ("busy_cost_per_hour", "idle_cost_per_hour"):
        faults += _cost(getattr(occupation, field), f"{at}{field}")
    for n, (start, end) in enumerate(occupation.working):
        if end <= start:
            faults.append(_reversed(name, f"{at}working[{n}]"))
    if not occupation.working:
        message = f"The calendar of {name} has no working time"
        hint = "Give it shifts, or leave the machine out: a machine that never works has no good or bad time"
        faults.append(Fault("occupation:no-working-time", message, hint, f"{at}working"))
    for n, taken in enumerate(occupation.taken):
        if taken.end <= taken.start:
            faults.append(_reversed(name, f"{at}taken[{n}]"))
        if taken.cost_per_hour is not None:
            faults += _cost(taken.cost_per_hour, f"{at}taken[{n}].cost_per_hour")
    return faults


class LostCost:
    """What a stop of one machine costs, exactly: the cost of each hour summed over the stop, vectorised."""

    def __init__(self, occupation: MachineOccupation) -> None:
        working = Spans.of(occupation.working)
        taken = list(occupation.taken)
        if occupation.known_until:
            later = [(max(s, occupation.known_until), e) for s, e in occupation.working if e > occupation.known_until]
            taken += [Taken(s, e, "later") for s, e in later]
        self.fixed = Spans.of((t.start, t.end) for t in taken if t.fixed)
        # Where two orders claim the same time the dearer one counts: the rates in falling order, each for its rest.
        priced: dict[Decimal, list[tuple[int, int]]] = {}
        for t in taken:
            rate = occupation.busy_cost_per_hour if t.cost_per_hour is None else t.cost_per_hour
            priced.setdefault(rate, []).append((t.start, t.end))
        self._layers: list[tuple[float, Spans]] = []
        left = working
        for rate in sorted(priced, reverse=True):
            part = left.meet(Spans.of(priced[rate]))
            self._layers.append((float(rate), part))
            left = left.minus(part)
        self._layers.append((float(occupation.idle_cost_per_hour), left))

    def of(self, starts: Int64s, length: int) -> Floats:
        """Cost of a stop of ``length`` ns that begins at each of ``starts`` (ns UTC), in the machine's currency."""
        total = np.zeros(len(starts))
        for rate, spans in self._layers:
            if rate:
                total += spans.covered(starts, starts + length) * (rate / HOUR)
        return total

    def allowed(self, starts: Int64s, length: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether a stop that begins there meets nothing fixed."""
        return np.asarray(self.fixed.covered(starts, starts + length) == 0)

    def edges(self) -> list[int]:
        """Instants at which the cost of an hour changes: a cheapest start is one of these, or ends at one."""
        return sorted({int(e) for _, spans in self._layers for pair in spans.pairs() for e in pair})


def occupied(
    operations: Iterable[tuple[str, int, int, str]], plain: Sequence[MachineOccupation]
) -> list[MachineOccupation]:
    """The machines with the operations of a production schedule, (machine, start, end, order) each.

    Operations of machines that are not among ``plain`` are left out: nothing is to be placed there.
    """
    by_machine: dict[str, list[Taken]] = {}
    for machine, start, end, order in operations:
        by_machine.setdefault(machine, []).append(Taken(start, end, order))
    return [
        msgspec.structs.replace(m, taken=(*m.taken, *sorted(by_machine.get(m.machine, ()), key=lambda t: t.start)))
        for m in plain
    ]


def _cost(value: Decimal, where: str) -> list[Fault]:
    if value.is_finite() and 0 <= value <= MOST_COST:
        return []
    hint = f"Zero to {MOST_COST:.0e}"
    return [Fault("occupation:cost-negative", f"{value} is no cost of an hour", hint, where)]


def _reversed(name: str, where: str) -> Fault:
    return Fault("occupation:stretch-reversed", f"A stretch of {name} ends before it begins", "Check both times", where)
