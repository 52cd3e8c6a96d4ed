"""What is to be scheduled: orders with operations, machines with working time, crews, materials, transport.

Times are ns UTC, durations ns, amounts whole pieces (or grams, millilitres: the smallest unit that is counted).
Ranges are [start, end).
"""

from __future__ import annotations

from typing import Literal

import msgspec

NS_SECOND = 1_000_000_000
DEFAULT_TICK = 60 * NS_SECOND


class Blocked(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Time in which a machine or a crew cannot work although its shifts say so.

    Attributes:
        kind: ``down`` the machine's own state, ``maintenance`` planned work on it, ``reserved`` anything else.
        why: in words, for the reasons of a plan.
        ref: what it belongs to (a work order, a case).
    """

    start: int
    end: int
    kind: Literal["down", "maintenance", "reserved"] = "reserved"
    why: str = ""
    ref: str = ""


class Setup(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Time to change a machine over from family ``before`` to ``after``; ``*`` is any family (the exact pair wins)."""

    before: str
    after: str
    duration: int


class Machine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A machine that does one operation at a time.

    Attributes:
        windows: its working time, ascending and apart; None: always.
        blocked: when it cannot work.
        family: what it is set up for at the start; empty: nothing needs to be taken down.
        setups: change-over times; a pair that is not listed takes none.
    """

    id: str
    title: str = ""
    windows: tuple[tuple[int, int], ...] | None = None
    blocked: tuple[Blocked, ...] = ()
    family: str = ""
    setups: tuple[Setup, ...] = ()


class Crew(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """``count`` operators who have the same skills and shifts; each attends one operation at a time."""

    id: str
    skills: tuple[str, ...]
    count: int = 1
    title: str = ""
    windows: tuple[tuple[int, int], ...] | None = None


class Arrival(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """``amount`` more from ``time`` on; ``supplier`` party that brings it, ``ref`` its order or delivery."""

    time: int
    amount: int
    supplier: str = ""
    ref: str = ""


class Material(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What operations use up when they start: ``stock`` at the start of the plan, and what is to arrive."""

    id: str
    title: str = ""
    stock: int = 0
    arrivals: tuple[Arrival, ...] = ()


class Need(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount of a material that an operation uses up when it starts."""

    material: str
    amount: int


class Mode(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One way to do an operation.

    Attributes:
        duration: worked time, without set-up.
        skill: that somebody present must have; empty: runs unattended.
        cost: soft cost of choosing it, in the unit of the objective (see :class:`Objective`).
    """

    machine: str
    duration: int
    skill: str = ""
    cost: int = 0


class Operation(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A step of an order.

    Attributes:
        after: ids of operations of the same order that end before; None: the one listed before it.
        family: what the machine has to be set up for; may be empty where no machine of its modes has set-ups.
        pausable: it may rest between shifts (not through blocked time) and goes on where it was.
    """

    id: str
    modes: tuple[Mode, ...]
    after: tuple[str, ...] | None = None
    family: str = ""
    needs: tuple[Need, ...] = ()
    pausable: bool = False
    title: str = ""


class Order(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Something to be made.

    Attributes:
        release: not before; None: from the start of the plan.
        due: promised; lateness costs ``weight`` an hour. None: nothing is promised.
        deadline: hard: a plan that misses it is none. None: there is none.
        customer: party that waits for it.
        product, quantity: what and how many, for people and for just-in-time figures.
    """

    id: str
    operations: tuple[Operation, ...]
    title: str = ""
    release: int | None = None
    due: int | None = None
    deadline: int | None = None
    weight: int = 1
    customer: str = ""
    product: str = ""
    quantity: int = 1


class Transport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Time from one machine to another between operations of an order; ``*`` is any machine, the exact pair wins."""

    origin: str
    target: str
    duration: int


class Placement(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where and when an operation is done.

    Attributes:
        start, end: of the operation itself; the set-up of ``setup`` ns lies right before ``start``.
        crew: who attends, from the start of the set-up to the end; empty: nobody needs to.
        started: it runs already, or has ended: a fact, not a plan.
    """

    order: str
    operation: str
    machine: str
    start: int
    end: int
    setup: int = 0
    crew: str = ""
    started: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Identity of the operation."""
        return self.order, self.operation

    @property
    def begin(self) -> int:
        """Start of the set-up, from which on machine and crew are taken."""
        return self.start - self.setup


class Objective(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a plan costs: a weighted sum, each term in ticks of the problem (so whole numbers).

    Attributes:
        makespan: per tick from the start of the plan to its last end.
        tardiness: per tick after its due date and unit of an order's weight.
        setup: per tick of set-up.
        flow: per tick from an order's release to its end (work in progress).
        moved: per tick that an operation's start differs from the plan before; ``moved_machine`` for each operation
            that changes its machine against it.
    """

    makespan: int = 1
    tardiness: int = 0
    setup: int = 0
    flow: int = 0
    moved: int = 0
    moved_machine: int = 0


class ScheduleProblem(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything a plan is made from.

    Attributes:
        start: now; nothing is planned earlier. ``end``: of the calendars; nothing is planned later.
        tick: planned times are ``start`` plus whole ticks; durations are rounded up to them.
        fixed: operations that stay where they are (started, or frozen by people).
        before: the plan that holds until now, of which a new one should disturb little.
    """

    start: int
    end: int
    machines: tuple[Machine, ...]
    orders: tuple[Order, ...]
    tick: int = DEFAULT_TICK
    crews: tuple[Crew, ...] = ()
    materials: tuple[Material, ...] = ()
    transport: tuple[Transport, ...] = ()
    fixed: tuple[Placement, ...] = ()
    before: tuple[Placement, ...] = ()
    objective: Objective = Objective()


class SchedulePlan(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where and when every operation of the problem is done, in order of start."""

    placements: tuple[Placement, ...]


def predecessors(order: Order) -> dict[str, tuple[str, ...]]:
    """For each operation of the order the ids of those that have to end before it."""
    found, previous = {}, ""
    for operation in order.operations:
        found[operation.id] = operation.after if operation.after is not None else ((previous,) if previous else ())
        previous = operation.id
    return found


class SetupTable:
    """Set-up times of one machine by pair of families, remembered."""

    def __init__(self, machine: Machine) -> None:
        self._listed = {(s.before, s.after): s.duration for s in machine.setups}
        self.first = machine.family
        self.any = bool(machine.setups)

    def between(self, before: str, after: str) -> int:
        """Ns to change over; nothing from an empty family, for nothing is set up that would have to be taken down."""
        if not self.any or not before or not after or before == after:
            return 0
        listed = self._listed
        for pair in ((before, after), ("*", after), (before, "*"), ("*", "*")):
            if pair in listed:
                return listed[pair]
        return 0


class TransportTable:
    """Transport times by pair of machines; none within a machine."""

    def __init__(self, transport: tuple[Transport, ...]) -> None:
        self._listed = {(t.origin, t.target): t.duration for t in transport}

    def between(self, origin: str, target: str) -> int:
        """Ns from ``origin`` to ``target``."""
        if origin == target or not self._listed:
            return 0
        for pair in ((origin, target), ("*", target), (origin, "*"), ("*", "*")):
            if pair in self._listed:
                return self._listed[pair]
        return 0
