"""Recommendations: what a service proposes to do to a machine, followed to its outcome.

A recommendation is a row of steps that are only added: proposed by the provider, answered by the customer (accepted,
refused, or with another window), scheduled with a work order, done, and judged: was the component near its failure?
Who has to answer follows from the steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, RefusedError
from servitwin.domain.instant import DAY

Action = Literal["propose", "accept", "refuse", "counter", "schedule", "done", "judge", "withdraw"]
Status = Literal["proposed", "countered", "accepted", "refused", "scheduled", "done", "judged", "withdrawn"]
Found = Literal["near_failure", "worn", "good", "failed_before"]
OPEN: tuple[Status, ...] = ("proposed", "countered", "accepted", "scheduled")
_LEADS_TO: dict[Action, Status] = {
    "propose": "proposed", "accept": "accepted", "refuse": "refused", "counter": "countered", "schedule": "scheduled",
    "done": "done", "judge": "judged", "withdraw": "withdrawn",
}  # fmt: skip
_FROM: dict[Action, tuple[Status, ...]] = {
    "accept": ("proposed", "countered"),
    "refuse": ("proposed", "countered"),
    "counter": ("proposed", "countered"),
    "schedule": ("accepted",),
    "done": ("accepted", "scheduled"),
    "judge": ("done",),
    "withdraw": ("proposed", "countered", "accepted", "scheduled"),
}
LONGEST_WINDOW = 366 * DAY


class RecommendationStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did what, when (ns UTC).

    Attributes:
        start, end: the window that the step is about; 0: as it was.
        found: what the component was like when the work was done (step ``judge``).
        work_order: id of the order that a step ``schedule`` opened.
    """

    action: Action
    by: str
    by_party: str
    at: int
    start: int = 0
    end: int = 0
    text: str = ""
    work_order: str = ""
    found: Found | None = None


class Recommendation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recommendation with its steps, the first of which is ``propose``.

    Attributes:
        task: id of the maintenance task; twin, component: what it is about.
        service, version: which made it; ``basis``: address of the data that it was made from (a job's problem).
        rule: how it was decided, in words.
        due, latest: ns UTC; when it is best and when it must be over.
        cost, cost_at_once, cost_at_last: what it costs there, at once and at the last moment; in ``currency``.
        why: reasons in words.
    """

    id: str
    twin: str
    component: str
    task: str
    title: str
    provider: str
    customer: str
    service: str
    version: str
    basis: str
    rule: str
    due: int
    latest: int
    technician: str
    currency: str
    cost: Decimal
    cost_at_once: Decimal
    cost_at_last: Decimal
    why: tuple[str, ...]
    steps: tuple[RecommendationStep, ...]

    @property
    def status(self) -> Status:
        """Where it stands."""
        return _LEADS_TO[self.steps[-1].action]

    @property
    def window(self) -> tuple[int, int]:
        """The window that was named last (ns UTC)."""
        return next((s.start, s.end) for s in reversed(self.steps) if s.end)

    @property
    def waiting_for(self) -> str:
        """The party whose answer is waited for; empty: nobody's."""
        if self.status not in ("proposed", "countered"):
            return ""
        return self.customer if self.steps[-1].by_party == self.provider else self.provider

    @property
    def work_order(self) -> str:
        """The work order that was opened for it, or nothing."""
        return next((s.work_order for s in reversed(self.steps) if s.work_order), "")


class Followed(msgspec.Struct, frozen=True):
    """How recommendations ended: by status, how many were refused by whom, and what was found when they were done.

    ``right``: share of judged ones whose component was near failure or worn; None: none was judged.
    """

    count: int
    by_status: dict[str, int]
    refused_by: dict[str, int]
    countered: int
    found: dict[str, int]
    right: float | None


def next_step(item: Recommendation, step: RecommendationStep) -> Recommendation:
    """The recommendation with one more step, checked.

    Raises:
        ConflictError: ``recommendation:not-now``, ``recommendation:window-over``.
        RefusedError: ``recommendation:not-yours``.
        InvalidInputError: every fault of the step.
    """
    if step.action not in _FROM or item.status not in _FROM[step.action]:
        message = f"It is {item.status}: {step.action} is not possible now"
        raise ConflictError(Fault("recommendation:not-now", message, "Read it again", "action"))
    if step.action in ("accept", "refuse", "counter") and step.by_party != item.waiting_for:
        message = f"The answer of {item.waiting_for} is waited for"
        raise RefusedError(Fault("recommendation:not-yours", message, "Nobody answers for the other side", "action"))
    if step.action in ("schedule", "done", "judge", "withdraw") and step.by_party != item.provider:
        message = f"Only {item.provider} may {step.action} it"
        raise RefusedError(Fault("recommendation:not-yours", message, "Answer it instead", "action"))
    if step.action == "accept" and item.window[1] <= step.at:
        hint = "Name another window instead"
        raise ConflictError(Fault("recommendation:window-over", "Its window is over", hint, "action"))
    faults = []
    if step.action in ("refuse", "withdraw") and not step.text.strip():
        faults.append(Fault("recommendation:reason-missing", "A reason is needed", "Say why in a sentence", "text"))
    if step.action == "counter" or step.end or step.start:
        faults += window_faults(step.start, step.end, step.at)
    if step.action == "judge" and step.found is None:
        hint = "One of near_failure, worn, good, failed_before"
        faults.append(Fault("recommendation:found-missing", "Say what the component was like", hint, "found"))
    if faults:
        raise InvalidInputError(faults)
    return msgspec.structs.replace(item, steps=(*item.steps, step))


def window_faults(start: int, end: int, now: int) -> list[Fault]:
    """The faults of a window (ns UTC)."""
    if end <= start:
        return [Fault("recommendation:window-reversed", "The window ends before it begins", "Give a later end", "to")]
    if end <= now:
        return [Fault("recommendation:window-past", "The window is over already", "Name one that is to come", "to")]
    if end - start > LONGEST_WINDOW:
        return [Fault("recommendation:window-long", "A window is a year at most", "Narrow it", "to")]
    return []


def follow(items: Iterable[Recommendation]) -> Followed:
    """How recommendations ended."""
    every = list(items)
    status, refused, found = dict[str, int](), dict[str, int](), dict[str, int]()
    for item in every:
        status[item.status] = status.get(item.status, 0) + 1
        for step in item.steps:
            if step.action == "refuse":
                refused[step.by_party] = refused.get(step.by_party, 0) + 1
            if step.found is not None:
                found[step.found] = found.get(step.found, 0) + 1
    judged = sum(found.values())
    good = found.get("near_failure", 0) + found.get("worn", 0)
    countered = sum(any(s.action == "counter" for s in i.steps) for i in every)
    return Followed(len(every), status, refused, countered, found, good / judged if judged else None)
