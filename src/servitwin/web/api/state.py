"""The live state of a twin, or its state as it was."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.routing import APIRoute

from servitwin.domain.observation import Cut
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.aggregates_then import aggregates_then, last_of
from servitwin.usecases.live_mirror import LiveValue
from servitwin.usecases.look_back import look_back
from servitwin.usecases.publish_aggregates import COVERAGE
from servitwin.web.api.answers import answer_tagged, at, cut_out, provenance_url, time_of
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.inferred import inferred_now, inferred_signals
from servitwin.web.api.live_state import active_alarms, alarms_then, state_now, state_then, values_now
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.twin import TwinState

router = router_of("twins", route_class=APIRoute)


@router.get("/twins/{id}/state", response_model=TwinState)
def read_state(
    request: Request,
    parts: Parts,
    me: Me,
    id: str,
    as_of: Annotated[
        str | None, Query(description="event time; default: now", examples=["2026-09-21T08:15:00Z"])
    ] = None,
) -> Response:
    """Latest values against their ranges, state, active alarms, coverage of aggregates."""
    twin = known_twin(parts, me, id)
    if as_of is not None and (moment := time_of(as_of, "as_of")) < parts.now():
        return answer_tagged(request, _past(parts, me, twin, moment))
    body = _now(parts, me, twin)
    stamp = [body["values"] and {k: (v["time"], v["value"]) for k, v in body["values"].items()}, body["state"]]
    return answer_tagged(request, body, stamp=[stamp, body["alarms"], body["coverage"], body["cut"]])


def _now(parts: WebParts, me: Actor, twin: Twin) -> dict[str, Any]:
    now = parts.now()
    values = parts.live.mirror.values(twin.uid)
    whole = twin.uid in parts.authoriser.readable(me)
    signals = {**inferred_now(twin, values), **parts.registry.signals(twin.uid, now)}
    return {
        "twin": twin.id,
        "as_of": at(now),
        "values": values_now(values, signals, now, parts.authoriser.signals(me, twin)),
        "state": state_now(parts, twin) if whole else None,
        "alarms": active_alarms(parts, twin) if whole else [],
        "coverage": _coverage(parts, twin) if whole else {},
        "cut": cut_out(parts.live.mirror.cut),
        "provenance": provenance_url("state", twin=twin.id, to=at(now)),
    }


def _coverage(parts: WebParts, twin: Twin) -> dict[str, dict[str, int]]:
    """How many machines have a fresh enough value of each aggregate, as the group's own value was computed."""
    live = parts.live.mirror.values(twin.uid)
    out = {}
    for aggregate in twin.aggregates:
        told = live.get(COVERAGE + aggregate.name)
        fresh, _, of = str(told[1]).partition("/") if told else ("0", "/", "0")
        out[aggregate.name] = {"fresh": int(fresh), "of": int(of)}
    return out


def _past(parts: WebParts, me: Actor, twin: Twin, moment: int) -> dict[str, Any]:
    signals = {**inferred_signals(parts, twin), **parts.registry.signals(twin.uid, moment)}
    may_read = parts.authoriser.signals(me, twin, moment)
    wanted = [(twin.uid, name) for name in signals if may_read(name)]
    found = parts.history.many_series(wanted, moment, moment + 1, before=True) if wanted else {}
    values: dict[str, LiveValue] = {}
    cut: Cut = {}
    for (_, name), series in found.items():
        cut = cut or series.cut
        if len(series):
            values[name] = last_of(series)
    groups = aggregates_then(parts.history, parts.registry, twin, moment, cut or None)
    for name, given in groups.items():
        values[name] = (given.time, given.value, int(given.quality), given.time)
    shown = values_now(values, signals, moment, may_read)
    whole = parts.authoriser.may(me, "read", twin, moment)
    then = look_back(parts.history, parts.registry, parts.records, [twin], moment)[twin.uid] if whole else None
    for value in shown.values():
        value["received"] = value["time"]
    return {
        "twin": twin.id,
        "as_of": at(moment),
        "values": shown,
        "state": state_then(then),
        "alarms": alarms_then(then),
        "coverage": {n: {"fresh": g.fresh, "of": g.of} for n, g in groups.items()} if whole else {},
        "cut": cut_out(cut),
        "provenance": provenance_url("state", twin=twin.id, to=at(moment)),
    }
