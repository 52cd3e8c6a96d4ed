"""What a plan learns from the shop: measured times correct planned ones, and what is put off again costs a little.

By product, step and machine only. Who answered is not kept here: the plan learns the reason, not the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import msgspec

from servitwin.domain.instant import NS, parse_instant
from servitwin.domain.schedule.master_data import ShiftAnswer

Place = tuple[str, str, str]
"""Product, step, machine."""

LEAST_TIMES = 3
LEAST_REJECTIONS = 2
LOW, HIGH = 0.5, 3.0  # a factor beyond is a slip of the pen, or no longer the same work
COST_PER_REJECTION = 30  # ticks: half an hour later elsewhere is preferred to one more rejection
OF_THE_PLACE = frozenset({"tool-missing", "machine-not-ready", "quality-doubt"})
"""Reasons of a move that are about the step on this machine; others (time, material) would be so elsewhere too."""


class Lesson(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was learnt of a step on a machine.

    Attributes:
        factor: measured by planned time, median of the last; 1.0: nothing learnt.
        times: how many measured times it stands on.
        cost: soft cost in ticks of planning it there; ``reasons`` why it was put off, most frequent first.
        rejections: how often it was rejected there, or moved behind another for a reason of the place.
    """

    product: str
    step: str
    machine: str
    factor: float = 1.0
    times: int = 0
    cost: int = 0
    rejections: int = 0
    reasons: tuple[str, ...] = ()


def lessons(answers: Iterable[ShiftAnswer]) -> dict[Place, Lesson]:
    """Lessons of all answers; a step on a machine without any is not in it.

    Times count from three on, rejections from two on: once is chance. The median of the last twenty holds. An operation
    that is moved behind others again and again for the same reason counts once.
    """
    measured: dict[Place, list[float]] = {}
    rejected: dict[Place, list[str]] = {}
    counted: set[tuple[str, Place, str]] = set()
    for a in sorted(answers, key=lambda a: a.at):
        place = (a.product, a.operation, a.machine)
        if a.answer == "rejected":
            rejected.setdefault(place, []).append(a.reason)
        elif a.answer == "moved" and a.reason in OF_THE_PLACE and (a.order, place, a.reason) not in counted:
            counted.add((a.order, place, a.reason))
            rejected.setdefault(place, []).append(a.reason)
        elif a.answer == "done" and a.began and a.ended and a.planned_s > 0:
            taken = (parse_instant(a.ended) - parse_instant(a.began)) / NS
            if taken > 0:
                measured.setdefault(place, []).append(taken / a.planned_s)
    found = {}
    for place in measured.keys() | rejected.keys():
        times, reasons = measured.get(place, []), rejected.get(place, [])
        factor = min(HIGH, max(LOW, median(times[-20:]))) if len(times) >= LEAST_TIMES else 1.0
        cost = COST_PER_REJECTION * len(reasons) if len(reasons) >= LEAST_REJECTIONS else 0
        if factor != 1.0 or cost:
            often = tuple(sorted(set(reasons), key=lambda r: (-reasons.count(r), r)))
            found[place] = Lesson(*place, round(factor, 3), len(times), cost, len(reasons), often)
    return found
