"""Work orders: planned and unplanned work on a machine, as the people who do it write it down.

An order is a row of steps, each with all that the order then said; the last one holds, and none is ever edited. What
an order says of the cause and of whose matter it is counts like a reason: unless it favours the party that said so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import DAY
from servitwin.domain.reason import Reason

Kind = Literal["planned", "unplanned"]
Action = Literal["open", "change", "close", "cancel"]
Status = Literal["open", "closed", "cancelled"]
OPEN_END = 2**62  # the end of an order that is open: far, and still a time that can be computed with
MOST_AHEAD = 3660 * DAY


class WorkOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a work order: who did what to it, and everything that it says from then on.

    Attributes:
        number: of the step, from 1: two people who write at once cannot both write the same step.
        start, end: the work's time (ns UTC); None while it is open.
        cause: code from the machine type's reason tree.
        party: responsible party as the author of the cause sees it; empty: not said.
        cause_party: party of the person who said cause, party and time, by which it is judged whom it favours.
    """

    id: str
    number: int
    twin: str
    action: Action
    status: Status
    kind: Kind
    start: int
    end: int | None
    cause: str
    party: str
    cause_party: str
    by: str
    by_party: str
    at: int
    text: str = ""

    def covers(self, start: int, end: int) -> bool:
        """Whether the work's time meets [start, end)."""
        return self.start < end and (self.end is None or self.end > start)


def check_order(order: WorkOrder) -> list[Fault]:
    """All faults of a step by itself."""
    faults = []
    if order.end is not None and order.end <= order.start:
        faults.append(
            Fault("work-order:period-reversed", "The work ends before it begins", "Give a later end", "to")
        )  # fmt: skip
    if order.status == "closed" and order.end is not None and order.end > order.at:
        message = "Work that has not ended yet cannot be closed"
        faults.append(Fault("work-order:in-the-future", message, "Close it once it is done", "to"))
    if order.kind == "unplanned" and order.start > order.at:
        message = "Unplanned work cannot begin in the future"
        faults.append(Fault("work-order:in-the-future", message, "Open it as planned work", "from"))
    if order.start > order.at + MOST_AHEAD:
        faults.append(
            Fault("work-order:too-far-ahead", "The work begins in over ten years", "Check the year", "from")
        )  # fmt: skip
    return faults


def next_order(last: WorkOrder, step: WorkOrder) -> WorkOrder:
    """The step after ``last``, checked, with the party that answers for what it says of the cause.

    Whoever changes cause or responsible party, or makes the time longer, says so for its own party from then on.
    Ending an open order and making its time shorter change nothing of who said it.

    Raises:
        ConflictError: ``work-order:out-of-turn``, ``work-order:cancelled``, ``work-order:closed``.
        InvalidInputError: all faults of the step.
    """
    if step.number != last.number + 1:
        message = f"Step {step.number} does not follow: {last.number} are taken"
        raise ConflictError(Fault("work-order:out-of-turn", message, "Somebody was faster: read it again", "number"))
    if last.status == "cancelled":
        message = f"Work order {last.id} is cancelled"
        raise ConflictError(Fault("work-order:cancelled", message, "Open a new one"))
    if step.action == "close" and last.status == "closed":
        raise ConflictError(
            Fault("work-order:closed", f"Work order {last.id} is closed", "A change corrects what it says")
        )
    ends, ended = step.end or OPEN_END, last.end or OPEN_END
    same = (step.cause, step.party, step.kind) == (last.cause, last.party, last.kind)
    own = same and step.start >= last.start and ends <= ended
    found = msgspec.structs.replace(step, cause_party=last.cause_party if own else step.by_party)
    faults = check_order(found)
    if faults:
        raise InvalidInputError(faults)
    return found


def orders_in_force(steps: Iterable[WorkOrder], known_at: int | None = None) -> list[WorkOrder]:
    """The last step of each order as known at an instant, by when they were opened; cancelled ones do not count."""
    first: dict[str, tuple[int, str]] = {}
    last: dict[str, WorkOrder] = {}
    for step in steps:
        if known_at is not None and step.at > known_at:
            continue
        first[step.id] = min(first.get(step.id, (step.at, step.id)), (step.at, step.id))
        if step.id not in last or step.number > last[step.id].number:
            last[step.id] = step
    return [last[id] for id in sorted(last, key=lambda id: first[id]) if last[id].status != "cancelled"]


def word_of(order: WorkOrder, until: int = OPEN_END) -> Reason:
    """What an order says of a machine's stops, in the form of a reason; an open one says so up to ``until``."""
    end = max(order.start + 1, until) if order.end is None else order.end
    return Reason(
        order.id, order.twin, order.start, end, order.cause, order.party, order.by, order.cause_party, order.at,
        order.text,
    )  # fmt: skip
