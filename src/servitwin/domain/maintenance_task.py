"""Maintenance tasks: work that a component needs again and again, and when it is due next."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, HOUR, parse_instant
from servitwin.domain.money import CURRENCIES

Basis = Literal["time", "count", "condition"]


class Interval(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How often a task is due.

    Attributes:
        by: ``time``: every so many days; ``count``: every so many units of a counter (operating hours, cycles, lifts);
            ``condition``: as soon as the predicted remaining life is at a limit.
        every: days, or units of the counter; not used by condition.
        counter: name of the counter's signal; ``per_day``: units expected in a day.
        limit_hours: condition: remaining life (operating hours) at which the task is due.
    """

    by: Basis
    every: float = 0.0
    counter: str = ""
    per_day: float = 0.0
    limit_hours: float = 0.0


class PartNeed(msgspec.Struct, frozen=True):
    """Pieces of a spare part that a task takes."""

    part: str
    quantity: int


class Step(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One step of a procedure; a critical one must be ticked before the job can be closed."""

    text: str
    critical: bool = False


class Life(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Weibull law of a component's life in operating hours, and how many of these it works in a day.

    ``failures``: ends that it was fitted from; 0: as the maker states it.
    """

    shape: float
    scale_hours: float
    hours_per_day: float = 24.0
    failures: int = 0


class MaintenanceTask(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A task on a component of one machine.

    Attributes:
        early_days, late_days: how much before or after its due time the task may be done.
        last_done: RFC 3339; ``count_at_last``: what the counter said then.
        duration_hours: of the work itself; ``stops_machine``: the machine cannot produce meanwhile.
        planned_cost: of doing it as planned, without labour and lost production; ``failure_cost``: of a failure that it
            prevents, with the unplanned stop.
        documents: names of the machine's documents that it needs.
        requirement: requirement of the machine type that proves the work (its case is closed by proof).
    """

    twin: str
    component: str
    title: str
    interval: Interval
    duration_hours: float
    skills: tuple[str, ...]
    planned_cost: Decimal
    failure_cost: Decimal
    currency: str
    early_days: float = 7.0
    late_days: float = 7.0
    last_done: str = ""
    count_at_last: float = 0.0
    stops_machine: bool = True
    parts: tuple[PartNeed, ...] = ()
    procedure: tuple[Step, ...] = ()
    documents: tuple[str, ...] = ()
    life: Life | None = None
    requirement: str = ""


class Due(msgspec.Struct, frozen=True):
    """When a task is due: ns UTC; it may begin at ``earliest`` and must be over at ``latest``. ``why`` in words."""

    earliest: int
    due: int
    latest: int
    why: str


def check_task(task: MaintenanceTask) -> list[Fault]:
    """All faults of a task by itself at once."""
    faults = [
        Fault("task:name-missing", f"A task needs a {n}", "Say what is done, and to what", n)
        for n in ("twin", "component", "title")
        if not getattr(task, n).strip()
    ]
    faults += _check_interval(task.interval)
    for field in ("planned_cost", "failure_cost"):
        value: Decimal = getattr(task, field)
        if not value.is_finite() or value < 0:
            faults.append(Fault("task:cost-negative", f"{value} is no cost", "Give zero or more", field))
    if task.currency not in CURRENCIES:
        message = f"There is no currency {task.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", "currency"))
    if not 0 < task.duration_hours <= 24 * 30:
        message = f"{task.duration_hours} hours is no duration"
        faults.append(Fault("task:duration-invalid", message, "Above 0, at most 720 hours", "duration_hours"))
    if not task.skills:
        hint = "Name what the technician must be able to do"
        faults.append(Fault("task:no-skill", "A task needs at least one skill", hint, "skills"))
    for field in ("early_days", "late_days"):
        if not 0 <= getattr(task, field) <= 3650:
            faults.append(Fault("task:tolerance-invalid", f"{field} is out of range", "0 to 3650 days", field))
    for n, need in enumerate(task.parts):
        if need.quantity < 1:
            faults.append(
                Fault("task:quantity-invalid", f"{need.quantity} pieces of {need.part}", "1 or more", f"parts[{n}]")
            )
    faults += _check_life(task.life)
    if task.last_done:
        try:
            parse_instant(task.last_done)
        except InvalidInputError as e:
            faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, "last_done"))
    elif task.interval.by == "time":
        hint = "Say when it was done last, or when the machine was commissioned"
        faults.append(Fault("task:last-done-missing", "The interval has no beginning", hint, "last_done"))
    return faults


def due_of(task: MaintenanceTask, now: int, count: float | None = None, remaining_hours: float | None = None) -> Due:
    """When a task is due next.

    ``count``: what its counter says now (None: as many a day as expected since it was done last).
    ``remaining_hours``: predicted remaining life (operating hours; the lower end of its interval).

    Raises:
        InvalidInputError: ``task:count-unknown`` or ``task:remaining-life-unknown`` where its basis needs them.
    """
    interval = task.interval
    last = parse_instant(task.last_done) if task.last_done else None
    if interval.by == "time":
        due = (last if last is not None else now) + round(interval.every * DAY)
        why = f"every {interval.every:g} days"
    elif interval.by == "count":
        done = count - task.count_at_last if count is not None else None
        if done is None and last is not None:
            done = (now - last) / DAY * interval.per_day
        if done is None:
            message = f"What {interval.counter} says is not known, nor when the task was done last"
            raise InvalidInputError(Fault("task:count-unknown", message, "Give one of both", "last_done"))
        due = now + round((interval.every - done) / interval.per_day * DAY)
        why = f"{done:.0f} of {interval.every:g} {interval.counter} are used, {interval.per_day:g} a day expected"
    else:
        if remaining_hours is None:
            message = f"The remaining life of {task.component} is not known"
            hint = "Give a prediction, or an interval by time or count until there is one"
            raise InvalidInputError(Fault("task:remaining-life-unknown", message, hint, "interval"))
        a_day = task.life.hours_per_day if task.life else 24.0
        due = now + round((remaining_hours - interval.limit_hours) / a_day * DAY)
        why = f"{remaining_hours:.0f} h are left at least; due at {interval.limit_hours:g} h"
    return Due(due - round(task.early_days * DAY), due, due + round(task.late_days * DAY), why)


def age_hours(task: MaintenanceTask, at: int) -> float | None:
    """Operating hours of the component since the task was done last; None: not known when."""
    if task.life is None or not task.last_done:
        return None
    return max(0.0, (at - parse_instant(task.last_done)) / HOUR * task.life.hours_per_day / 24)


def _check_interval(interval: Interval) -> list[Fault]:
    faults = []
    if interval.by != "condition" and not 0 < interval.every < math.inf:
        message = f"Every {interval.every} is no interval"
        faults.append(Fault("task:interval-invalid", message, "Above 0", "interval.every"))
    if interval.by == "count" and (not interval.counter or not 0 < interval.per_day < math.inf):
        hint = "Name the counter's signal, and how much of it a day brings"
        faults.append(Fault("task:counter-missing", "The counter is not described", hint, "interval.counter"))
    if interval.by == "condition" and not 0 <= interval.limit_hours < math.inf:
        message = f"{interval.limit_hours} is no limit of a remaining life"
        faults.append(Fault("task:limit-invalid", message, "0 or more operating hours", "interval.limit_hours"))
    return faults


def _check_life(life: Life | None) -> list[Fault]:
    if life is None:
        return []
    faults = []
    if not 0.05 < life.shape < 50:
        faults.append(Fault("task:shape-invalid", f"{life.shape} is no Weibull shape", "0.05 to 50", "life.shape"))
    if not 0 < life.scale_hours < math.inf:
        faults.append(Fault("task:scale-invalid", f"{life.scale_hours} h is no life", "Above 0", "life.scale_hours"))
    if not 0 < life.hours_per_day <= 24:
        message = f"{life.hours_per_day} operating hours a day"
        faults.append(Fault("task:hours-a-day-invalid", message, "Above 0, at most 24", "life.hours_per_day"))
    return faults
