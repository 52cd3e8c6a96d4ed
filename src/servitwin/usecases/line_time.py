"""A line works as its constraint works: which station that is, and the state of several machines as one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from servitwin.domain.state_time import State, StateInterval, join, unknown
from servitwin.usecases.machine_time import MachineTime
from servitwin.usecases.registry import Registry

# A station of several machines is in the first of these states in which one of its machines is: it works while one
# works; otherwise what is not known outweighs what is, and the gravest standstill is shown.
PRECEDENCE = (
    State.PRODUCING,
    State.UNKNOWN,
    State.FAILED,
    State.REPAIR,
    State.EXTERNAL,
    State.SETUP,
    State.STARVED,
    State.BLOCKED,
    State.STANDBY,
    State.PREVENTIVE,
    State.PLANNED_STOP,
    State.OFF,
)
_RANK = {state: rank for rank, state in enumerate(PRECEDENCE)}


def stations(registry: Registry, machines: Iterable[MachineTime], at: int) -> dict[str, list[MachineTime]]:
    """Machines that make parts, by type name: machines of one type in a line work side by side as one station."""
    found: dict[str, list[MachineTime]] = {}
    for machine in machines:
        machine_type = registry.type_at(machine.twin, at)
        if machine_type is not None and machine_type.production is not None:
            found.setdefault(machine_type.name, []).append(machine)
    return found


def constraint_station(
    registry: Registry, machines: Iterable[MachineTime], at: int
) -> tuple[list[MachineTime], str]:  # fmt: skip
    """The station that takes longest per part, and a sentence that says so; none if no type declares a cycle.

    Its time per part is the longest ideal cycle of its type, divided by the number of its machines; of equals the
    first by name.
    """
    best: tuple[float, str] | None = None
    groups = stations(registry, machines, at)
    for name in sorted(groups):
        machine_type = registry.type_at(groups[name][0].twin, at)
        production = machine_type.production if machine_type else None
        cycle = max(production.ideal_cycle_s.values(), default=0.0) if production else 0.0
        if cycle > 0 and (best is None or cycle / len(groups[name]) > best[0]):
            best = (cycle / len(groups[name]), name)
    if best is None:
        return [], "No machine of the line declares an ideal cycle: its constraint is not known"
    names = ", ".join(m.twin.id for m in groups[best[1]])
    return groups[best[1]], f"Constraint of the line: {names} ({best[0]:g} s a part at best)"


def line_states(
    registry: Registry, machines: Iterable[MachineTime], start: int, end: int
) -> tuple[list[StateInterval], str]:
    """State of a line over [start, end), and how it was found; unknown (``no-constraint``) where there is none."""
    station, note = constraint_station(registry, machines, start)
    if not station:
        return unknown(start, end, "no-constraint"), note
    return combine([m.intervals for m in station]), note


def combine(lists: Sequence[list[StateInterval]]) -> list[StateInterval]:
    """Several machines that cover the same range as one: at each instant the interval of first precedence."""
    if len(lists) == 1:
        return lists[0]
    edges = sorted({i.start for one in lists for i in one} | {i.end for one in lists for i in one})
    places = [0] * len(lists)
    combined: list[StateInterval] = []
    for begin, finish in itertools.pairwise(edges):
        for n, one in enumerate(lists):
            while one[places[n]].end <= begin:
                places[n] += 1
        i = min((one[place] for one, place in zip(lists, places, strict=True)), key=lambda i: _RANK[i.state])
        combined.append(StateInterval(begin, finish, i.state, i.cause, i.party, i.word, i.reason))
    return join([combined])
