"""Time of state: intervals, days, availability, OEE, alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.routing import APIRoute

from servitwin.domain.error import Fault, RefusedError
from servitwin.domain.instant import DAY, NS
from servitwin.domain.oee import Oee
from servitwin.domain.party import Actor
from servitwin.domain.reason import Reason
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.twin import Twin
from servitwin.usecases.account_daily import daily_states
from servitwin.usecases.account_oee import OeeAnswer as OeeAccount
from servitwin.usecases.account_oee import oee
from servitwin.usecases.account_time import availability, states
from servitwin.usecases.compare_definitions import compare_definitions
from servitwin.usecases.list_alarms import list_alarms
from servitwin.usecases.machine_time import GROUPS, Sources
from servitwin.web.api.answers import answer, at, cut_out, number_cursor, provenance_url, range_of, to_cursor
from servitwin.web.api.callers import Me, Parts, known_twin, readable_span
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.state_time import (
    AvailabilityAnswer,
    DailyStates,
    DefinitionsAnswer,
    FormulaName,
    OeeAnswer,
    StatesAnswer,
)
from servitwin.web.api.shapes.twin import AlarmPage

router = router_of("time of state", route_class=APIRoute)
From = Annotated[str | None, Query(alias="from", description="default: a day before `to`")]
To = Annotated[str | None, Query(description="default: now")]
LONGEST = 40 * 366 * DAY


def _asked(parts: WebParts, me: Actor, id: str, start: str | None, end: str | None) -> tuple[Twin, int, int]:
    """Twin and range that the caller may read whole; a group counts only with everything in it."""
    twin = known_twin(parts, me, id)
    since, until = range_of(start, end, parts.now(), DAY, LONGEST)
    since, until = readable_span(parts, me, twin, "", since, until)
    if twin.kind in GROUPS:
        for part in parts.registry.descendants(twin.id, since):
            if parts.authoriser.spans(me, part, "", since, until) != [(since, until)]:
                raise RefusedError(
                    Fault(
                        "group:partly-not-yours",
                        f"{twin.id} holds machines that you may not read in that range",
                        "Ask for your machines one by one",
                        "id",
                    )
                )
    return twin, since, until


@router.get("/twins/{id}/states", response_model=StatesAnswer)
def read_states(
    parts: Parts,
    me: Me,
    id: str,
    from_: From = None,
    to: To = None,
    limit: Annotated[int, Query(ge=1, le=50_000)] = 10_000,
    cursor: str | None = None,
) -> Response:
    """Intervals that cover the range without gap or overlap, and the seconds of each state in all of it."""
    twin, start, end = _asked(parts, me, id, from_, to)
    found = states(parts.history, parts.registry, parts.records, twin, start, end, now=parts.now())
    after = number_cursor(cursor)
    said = found.said or (None,) * len(found.intervals)
    pieces = list(zip(found.intervals, said, strict=True))
    rest = [(i, reason) for i, reason in pieces if after is None or i.start >= after]
    return answer(
        {
            "twin": twin.id,
            "from": at(start),
            "to": at(end),
            "intervals": [_interval(i, reason) for i, reason in rest[:limit]],
            "totals": _seconds(found.totals),
            "children": {child: _seconds(totals) for child, totals in found.children.items()},
            "note": found.note,
            "next": to_cursor(str(rest[limit][0].start)) if len(rest) > limit else None,
            "cut": cut_out(found.basis.cut),
            "provenance": provenance_url("states", twin=twin.id, from_=at(start), to=at(end)),
        }
    )


@router.get("/states/daily", response_model=DailyStates)
def read_daily_states(
    parts: Parts,
    me: Me,
    from_: From = None,
    to: To = None,
    twins: Annotated[list[str] | None, Query(max_length=1000, description="default: all machines you may read")] = None,
) -> Response:
    """Seconds per state and UTC day of many machines."""
    start, end = range_of(from_, to, parts.now(), 7 * DAY, LONGEST)
    if twins is None:
        chosen = [t for t in parts.registry.twins() if t.kind not in GROUPS]
        chosen = [t for t in chosen if parts.authoriser.spans(me, t, "", start, end) == [(start, end)]]
    else:
        chosen = [known_twin(parts, me, id) for entry in twins for id in entry.split(",") if id]
        for twin in chosen:
            if readable_span(parts, me, twin, "", start, end) != (start, end):
                raise RefusedError(
                    Fault(
                        "range:partly-not-yours", f"You may read {twin.id} in a part of that range only", where="from"
                    )
                )
    found = daily_states(parts.history, parts.registry, parts.records, chosen, start, end, now=parts.now())
    return answer(
        {
            "days": found.days,
            "twins": {id: [_seconds(day) for day in days] for id, days in found.twins.items()},
            "cut": cut_out(found.basis.cut),
            "provenance": provenance_url("states-daily", from_=at(start), to=at(end)),
        }
    )


@router.get("/twins/{id}/availability", response_model=AvailabilityAnswer)
def read_availability(
    parts: Parts, me: Me, id: str, formula: FormulaName = "iso22400@1", from_: From = None, to: To = None
) -> Response:
    """Availability by a named formula: availability without its formula is ambiguous."""
    twin, start, end = _asked(parts, me, id, from_, to)
    found = availability(parts.history, parts.registry, parts.records, twin, formula, start, end, now=parts.now())
    figure = found.figure
    return answer(
        {
            "twin": twin.id,
            "from": at(found.start),
            "to": at(found.end),
            "value": figure.value,
            "formula": figure.formula,
            "numerator_s": figure.numerator / NS,
            "denominator_s": figure.denominator / NS,
            "unknown_s": figure.unknown / NS,
            "terms": {name: ns / NS for name, ns in figure.terms.items()},
            "reason": figure.reason,
            "assumed": found.assumed,
            "cut": cut_out(found.basis.cut),
            "provenance": provenance_url("availability", twin=twin.id, formula=formula, from_=at(start), to=at(end)),
        }
    )


@router.get("/twins/{id}/availability/definitions", response_model=DefinitionsAnswer)
def read_definitions(parts: Parts, me: Me, id: str, from_: From = None, to: To = None) -> Response:
    """An exercise: one recording under three definitions of available, as recorded and without declared gaps."""
    twin, start, end = _asked(parts, me, id, from_, to)
    sources = Sources(parts.history, parts.registry, parts.records, parts.history.cut())
    found = compare_definitions(sources, twin, start, end)
    return answer(
        {
            "twin": twin.id,
            "label": "exercise",
            "signal": found.signal,
            "from": at(start),
            "to": at(end),
            "definitions": [
                {
                    "name": recorded.definition.name,
                    "title": recorded.definition.title,
                    "bad": recorded.definition.bad,
                    "good": recorded.definition.good,
                    "value": recorded.value,
                    "numerator_s": recorded.numerator / NS,
                    "denominator_s": recorded.denominator / NS,
                    "value_without_gaps": without.value,
                    "denominator_without_gaps_s": without.denominator / NS,
                }
                for recorded, without in zip(found.recorded, found.without_gaps, strict=True)
            ],
            "unknown_s": found.unknown / NS,
            "declared_gaps_s": found.declared / NS,
            "words": {word: ns / NS for word, ns in found.words.items()},
            "cut": cut_out(found.cut),
            "provenance": provenance_url("signal", twin=twin.id, signal=found.signal, from_=at(start), to=at(end)),
        }
    )


@router.get("/twins/{id}/oee", response_model=OeeAnswer)
def read_oee(
    parts: Parts,
    me: Me,
    id: str,
    from_: From = None,
    to: To = None,
    by: Literal["shift", "product", "cause"] | None = None,
) -> Response:
    """OEE after ISO 22400-2 with the waterfall of its losses; utilisation where planned time or cycle is missing."""
    twin, start, end = _asked(parts, me, id, from_, to)
    found = oee(parts.history, parts.registry, parts.records, twin, start, end, by, now=parts.now())
    return answer(
        {
            "twin": twin.id,
            "from": at(found.start),
            "to": at(found.end),
            **_oee(found.oee),
            "groups": _groups(found, by),
            "children": {child: _oee(figure) for child, figure in found.children.items()},
            "cut": cut_out(found.basis.cut),
            "provenance": provenance_url("oee", twin=twin.id, from_=at(start), to=at(end)),
        }
    )


@router.get("/twins/{id}/alarms", response_model=AlarmPage, name="list_alarms")
def read_alarms(
    parts: Parts,
    me: Me,
    id: str,
    from_: From = None,
    to: To = None,
    active: Annotated[bool | None, Query(description="true: still active at `to`; false: ended")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    cursor: str | None = None,
) -> Response:
    """Alarms that were active in the range, newest first; of a group those of its machines."""
    twin, start, end = _asked(parts, me, id, from_, to)
    found = list_alarms(parts.history, parts.registry, parts.records, twin, start, end, active)
    skip = number_cursor(cursor) or 0
    page = found.items[max(0, skip) : max(0, skip) + limit]
    return answer(
        {
            "items": [
                {
                    "twin": i.twin,
                    "signal": i.alarm.signal,
                    "code": i.alarm.code,
                    "text": i.alarm.text,
                    "severity": i.alarm.severity,
                    "from": at(i.alarm.start),
                    "to": at(i.alarm.end),
                }
                for i in page
            ],
            "from": at(start),
            "to": at(end),
            "count": len(found.items),
            "per_ten_minutes": found.figures.per_ten_minutes,
            "floods": [{"from": at(f.start), "to": at(f.end), "count": f.count} for f in found.figures.floods],
            "next": to_cursor(str(skip + limit)) if skip + limit < len(found.items) else None,
            "cut": cut_out(found.basis.cut),
            "provenance": provenance_url("alarms", twin=twin.id, from_=at(start), to=at(end)),
        }
    )


def _interval(i: StateInterval, said: Reason | None) -> dict[str, Any]:
    return {
        "from": at(i.start), "to": at(i.end), "state": i.state, "cause": i.cause, "party": i.party, "word": i.word,
        "reason": i.reason,
        "said": None if said is None else {"id": said.id, "cause": said.cause, "party": said.party},
    }  # fmt: skip


def _seconds(totals: Mapping[State, int]) -> dict[str, float]:
    return {state.value: ns / NS for state, ns in totals.items()}


def _oee(figure: Oee) -> dict[str, Any]:
    terms = figure.terms
    return {
        "oee": figure.oee,
        "availability": figure.availability,
        "performance": figure.performance,
        "quality": figure.quality,
        "nee": figure.nee,
        "teep": figure.teep,
        "called": figure.called,
        "losses": [
            {"name": x.name, "kind": x.kind, "seconds": x.duration / NS, "share": x.share, "state": x.state}
            for x in figure.losses
        ],
        "assumed": figure.assumed,
        "flags": figure.flags,
        "reason": figure.reason,
        "terms": {
            "calendar_s": terms.calendar / NS,
            "in_state_s": _seconds(terms.in_state),
            "made": terms.made,
            "good": terms.good,
            "ideal_s": None if terms.ideal is None else terms.ideal / NS,
        },
    }


def _groups(found: OeeAccount, by: str | None) -> list[dict[str, Any]] | None:
    if by is None:
        return None
    if by == "cause":
        return [
            {"key": c.key, "party": c.party, "state": c.state, "seconds": c.duration / NS, "share": c.share}
            for c in found.causes
        ]
    return [{"key": g.key, **_oee(g.oee)} for g in found.groups]
