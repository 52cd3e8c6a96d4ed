"""Minutes of routine: said by a shift without names, compared before and after the shift assistant."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Response

from servitwin.domain.instant import DAY
from servitwin.domain.party import Actor
from servitwin.domain.schedule.routine_change import CONFIDENCE, LEAST, RULE, SOURCE, KindChange
from servitwin.formats.settlement_document import amount
from servitwin.usecases.compare_routine import CompareRoutine, CountedShift, RoutineReport
from servitwin.usecases.say_routine import SayRoutine, ShiftToSay
from servitwin.web.api.answers import answer, at, full, range_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import API, WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.routine import RoutineComparison, RoutineIn, SaidRoutine, ShiftsToSay

router = router_of("planning")
Party = Annotated[str, Query(max_length=100, description="default: the caller's")]
_TWO_YEARS = 730 * DAY  # compared where nobody says from when
_EXPLANATION = (
    "Each shift said by itself how many minutes its routine took; nobody was timed, and nothing is kept of who said "
    "it. A shift of the period counts once, as it was said last, and only if it was covered whole. Mean after less "
    "mean before, with the 95 % interval of Welch's t; the intervals of the kinds hold one at a time. Whatever else "
    "changed in the meantime is in the difference too."
)


def _saying(parts: WebParts) -> SayRoutine:
    return SayRoutine(parts.registers, parts.registry, parts.now)


def _report(parts: WebParts, me: Actor, place: str, party: str, from_: str | None, to: str | None) -> RoutineReport:
    start, end = range_of(from_, to, parts.now(), _TWO_YEARS)
    compare = CompareRoutine(parts.records, parts.registers, parts.registry, parts.now)
    return compare.compare(me, start, end, place, party)


@router.get("/schedules/routine/shifts", response_model=ShiftsToSay)
def list_shifts_to_say(
    parts: Parts,
    me: Me,
    place: Annotated[str, Query(max_length=100, description="machine, workplace or line")],
    party: Party = "",
) -> Response:
    """The kinds of routine that a shift is asked for, and the last shifts at a place with what they said."""
    study, shifts = _saying(parts).shifts(me, place, party)
    return answer({"place": place, "kinds": [full(k) for k in study.kinds], "shifts": [_shift(s) for s in shifts]})


@router.post("/schedules/routine/shifts", response_model=SaidRoutine, status_code=201)
def say_routine(parts: Parts, me: Me, body: RoutineIn) -> Response:
    """Say how many minutes the routine of a shift took, once it has begun; said again it replaces what was said.

    No name and no account is kept with it, not even in the audit. Both answers stay as revisions of the register.
    """
    said = _saying(parts).say(
        me, body.place, body.day, body.shift, body.minutes,
        whole=body.whole, period=body.period, products=body.products, party=body.party,
    )  # fmt: skip
    return answer(full(said), 201)


@router.get("/schedules/routine/comparison", response_model=RoutineComparison)
def compare_routine(
    parts: Parts,
    me: Me,
    place: Annotated[str, Query(max_length=100, description="with all below it; default: everything")] = "",
    party: Party = "",
    from_: Annotated[
        str | None, Query(alias="from", description="shifts that began from here on; default: two years before `to`")
    ] = None,
    to: str | None = None,
) -> Response:
    """Minutes of routine a shift, before and after the assistant: means, 95 % interval of the difference, money.

    With fewer than five whole shifts on a side no difference is told, and why. Warnings say how the sides differ else.
    """
    report = _report(parts, me, place, party, from_, to)
    change, study = report.change, report.study
    titles = {k.id: k.title for k in study.kinds}
    money = change.money and {
        "currency": study.currency,
        "rate": study.rate,
        "per_shift": amount(change.money.per_shift),
        "low": amount(change.money.low),
        "high": amount(change.money.high),
    }
    period = {"from": at(report.from_), "to": at(report.to)}
    query = urlencode({"kind": "routine", "machine": place, "party": report.party, **period})
    return answer(
        {
            "party": report.party,
            "place": place,
            **period,
            "places": list(report.places),
            "since": study.since,
            "note": study.note,
            "rule": RULE,
            "source": SOURCE,
            "confidence": CONFIDENCE,
            "least": LEAST,
            "total": _change(change.total, "", True),
            "kinds": [_change(k, titles.get(k.kind, k.kind), k.kind in titles) for k in change.kinds],
            "money": money,
            "warnings": [full(f) for f in change.warnings],
            "left_out": [full(f) for f in report.left_out],
            "provenance": f"{API}/provenance?{query}",
        }
    )


def routine_provenance(
    parts: WebParts, me: Actor, place: str, party: str, from_: str | None, to: str | None
) -> dict[str, Any]:
    """What a comparison rests on: each shift with the revision that says it."""
    report = _report(parts, me, place, party, from_, to)
    now = parts.now()
    rule, _, version = RULE.partition("@")
    begins = [s.said.begins for s in (*report.before, *report.after)]
    sides = (("before", report.before), ("after", report.after))
    return {
        "title": f"Minutes of routine, {place or report.party}",
        "rule": rule,
        "version": version,
        "source": SOURCE,
        "inputs": [_input(side, shift) for side, shifts in sides for shift in shifts],
        "interval": [min(begins, default=at(now)), max(begins, default=at(now))],
        "cut": {},
        "observations_url": f"{API}/registers/shift_routine?{urlencode({'party': report.party})}",
        "explanation": _EXPLANATION,
    }


def _input(side: str, shift: CountedShift) -> dict[str, str]:
    said = f"{shift.said.total} minutes of {shift.said.shift_minutes}"
    return {"kind": f"shift {side}", "name": shift.entry, "detail": f"revision {shift.revision}: {said}"}


def _shift(s: ShiftToSay) -> dict[str, Any]:
    return {
        "day": s.day, "shift": s.shift, "start": at(s.start), "end": at(s.end), "minutes": s.minutes,
        "said": None if s.said is None else full(s.said),
    }  # fmt: skip


def _change(k: KindChange, title: str, asked: bool) -> dict[str, Any]:
    d = k.difference
    return {
        "kind": k.kind,
        "title": title,
        "asked": asked,
        "before": full(k.before),
        "after": full(k.after),
        "difference": d and {"mean": d.mean, "low": d.low, "high": d.high, "clear": d.clear},
        "refused": full(k.refused),
    }
