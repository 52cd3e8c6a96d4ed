"""Twins: lists, details, changes, levels, gaps."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin, value_at
from servitwin.usecases.authorise import Action
from servitwin.usecases.look_back import Then, look_back
from servitwin.usecases.registry import is_alive
from servitwin.web.api.answers import answer, answer_tagged, at, full, page_of, time_of
from servitwin.web.api.callers import Me, Parts, known_twin, permitted_twin
from servitwin.web.api.inferred import inferred_signals
from servitwin.web.api.live_state import active_alarms, freshness_s, state_now, state_then
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.observation import GapsAnswer, GapsIn
from servitwin.web.api.shapes.twin import Kind, LevelHistory, TwinDetail, TwinSummary

router = router_of("twins")
ACTIONS: tuple[Action, ...] = ("read", "command", "configure", "treat", "report")
_Then = tuple[int, dict[str, Then]]  # a moment of the past, and how the twins were that the caller may read
Limit = Annotated[int, Query(ge=1, le=1000)]
AsOf = Annotated[
    str | None,
    Query(description="event time to look at, as known now; default: now", examples=["2026-09-21T08:15:00Z"]),
]


@router.get("/twins", response_model=Page[TwinSummary])
def list_twins(
    request: Request,
    parts: Parts,
    me: Me,
    kind: Kind | None = None,
    q: Annotated[str | None, Query(max_length=200, description="part of id, title or serial")] = None,
    parent: Annotated[str | None, Query(description="id of the twin they are part of")] = None,
    as_of: AsOf = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Response:
    """Twins that the caller may know of, in order of id; with `as_of` as they were then."""
    known = parts.authoriser.known(me)
    moment = _past(parts, as_of)
    now = parts.now() if moment is None else moment
    found = [
        t
        for t in parts.registry.twins(retired=moment is not None)
        if t.uid in known
        and is_alive(t, now)
        and (kind is None or t.kind == kind)
        and (parent is None or value_at(t.parent, now) == parent)
        and (not q or _contains(t, q.casefold()))
    ]
    items, following = page_of(found, limit, cursor, lambda t: t.id)
    levels = parts.records.levels_at(now)
    then = _then(parts, me, items, moment)
    shown = [{**_core(parts, me, t, then), "level": levels.get(t.uid, "model")} for t in items]
    return answer_tagged(request, {"items": shown, "next": following})


@router.get("/twins/{id}", response_model=TwinDetail)
def read_twin(request: Request, parts: Parts, me: Me, id: str, as_of: AsOf = None) -> Response:
    """Everything about a twin but its values. The ETag is of what `PUT` changes; `If-Match` takes it.

    With `as_of`: the type, owner, place, parts, level, state and alarms of that time; what one may do is of now.
    """
    return answer_tagged(request, detail(parts, me, known_twin(parts, me, id), _past(parts, as_of)))


@router.get("/twins/{id}/level", response_model=LevelHistory)
def read_level(parts: Parts, me: Me, id: str, as_of: AsOf = None) -> Response:
    """History of the level (model, shadow, twin) of a twin, its signals and commands, with the evidence."""
    twin = permitted_twin(parts, me, id, "read")
    rows = _until(parts.records.level_history(twin.uid, "*"), _past(parts, as_of))
    rows.sort(key=lambda r: (-r["since"], r["subject"]))
    return answer({"twin": twin.id, "items": [{**r, "since": at(r["since"])} for r in rows]})


@router.get("/twins/{id}/gaps", response_model=GapsAnswer)
def list_gaps(parts: Parts, me: Me, id: str) -> Response:
    """Stretches for which a source declared that data are missing."""
    return answer(_gaps(parts, permitted_twin(parts, me, id, "read")))


@router.post("/twins/{id}/gaps", response_model=GapsAnswer)
def declare_gaps(parts: Parts, me: Me, id: str, body: GapsIn) -> Response:
    """Declare gaps; the same one twice is one. They override what was observed."""
    twin = permitted_twin(parts, me, id, "report")
    gaps = []
    for i, gap in enumerate(body.gaps):
        start, end = time_of(gap.from_, f"gaps[{i}].from"), time_of(gap.to, f"gaps[{i}].to")
        if start >= end:
            raise InvalidInputError(
                Fault("gap:ends-before-it-starts", "`from` must be before `to`", "Swap them", f"gaps[{i}].from")
            )
        gaps.append(Gap(start, end, gap.reason, gap.source))
    parts.records.declare_gaps(twin.uid, gaps)
    parts.audit.note(me, "gaps.declare", twin.id, {"gaps": len(gaps)})
    return answer(_gaps(parts, twin))


def _gaps(parts: WebParts, twin: Twin) -> dict[str, Any]:
    gaps = parts.records.gaps(twin.uid)
    return {"gaps": [{"from": at(g.start), "to": at(g.end), "reason": g.reason, "source": g.source} for g in gaps]}


# how twins are shown -----------------------------------------------------------------------------------------
def _contains(twin: Twin, text: str) -> bool:
    return any(text in field.casefold() for field in (twin.id, twin.title, twin.serial))


def _past(parts: WebParts, as_of: str | None) -> int | None:
    """The instant asked for; None for now, and for what has not come yet."""
    if as_of is None:
        return None
    moment = time_of(as_of, "as_of")
    return moment if moment < parts.now() else None


def _then(parts: WebParts, me: Actor, twins: list[Twin], moment: int | None) -> _Then | None:
    """States and alarms at that moment of the twins that the caller may read then; None for now."""
    if moment is None:
        return None
    mine = [t for t in twins if parts.authoriser.may(me, "read", t, moment)]
    return moment, look_back(parts.history, parts.registry, parts.records, mine, moment) if mine else {}


def _until(rows: list[dict[str, Any]], moment: int | None) -> list[dict[str, Any]]:
    return rows if moment is None else [r for r in rows if r["since"] <= moment]


def _core(parts: WebParts, me: Actor, twin: Twin, then: _Then | None) -> dict[str, Any]:
    now = parts.now() if then is None else then[0]
    return {
        "id": twin.id,
        "uid": twin.uid,
        "kind": twin.kind,
        "title": twin.title or twin.id,
        "serial": twin.serial,
        "type": twin.type_at(now),
        "parent": _visible_parent(parts, me, twin, now),
        "owner": twin.owner_at(now),
        "place": value_at(twin.place, now),
        **(_live(parts, me, twin) if then is None else _told(then[1].get(twin.uid))),
    }


def _live(parts: WebParts, me: Actor, twin: Twin) -> dict[str, Any]:
    if twin.uid not in parts.authoriser.readable(me):
        return _told(None)
    alarms = len(active_alarms(parts, twin))
    return {"state": state_now(parts, twin), "alarms": alarms, "freshness_s": freshness_s(parts, twin)}


def _told(then: Then | None) -> dict[str, Any]:
    return {"state": state_then(then), "alarms": len(then.alarms) if then else 0, "freshness_s": None}


def detail(parts: WebParts, me: Actor, twin: Twin, moment: int | None = None) -> dict[str, Any]:
    """Everything about a twin that the caller may know, as it was at ``moment`` (ns UTC; None: now)."""
    now = parts.now() if moment is None else moment
    kind = parts.registry.type_at(twin, now)
    may_read = parts.authoriser.signals(me, twin, moment)
    known = parts.authoriser.known(me)
    described = {**inferred_signals(parts, twin), **parts.registry.signals(twin.uid, now)}
    signals = [s for s in described.values() if may_read(s.name)]
    whole = twin.uid in parts.authoriser.readable(me)
    return {
        **_core(parts, me, twin, _then(parts, me, [twin], moment)),
        "components": [{**full(c), "title": c.title or c.path} for c in kind.components] if kind else [],
        "signals": [full(s) for s in signals],
        "commands": [full(c) for c in kind.commands] if kind and whole else [],
        "permitted": [a for a in ACTIONS if parts.authoriser.may(me, a, twin)],
        "children": [c.id for c in parts.registry.children(twin.id, now) if c.uid in known],
        "aggregates": [full(a) for a in twin.aggregates],
        "dtid": twin.dtid,
        "created": at(twin.created) if twin.created else None,
        "commissioned": at(twin.commissioned),
        "calendar": twin.calendar,
        "level": _level_detail(
            _until(parts.records.level_history(twin.uid, "*"), moment),
            [s.name for s in signals],
            [c.name for c in kind.commands] if kind else [],
        ),
        "registered_from": twin.registered_from,
        "simulates": twin.simulates,
        "owners": [{"value": d.value, "from": at(d.start), "to": at(d.end)} for d in twin.owner] if whole else [],
        "types": [{"value": d.value, "from": at(d.start), "to": at(d.end)} for d in twin.type],
        "production": full(kind.production) if kind and kind.production else None,
        "requirements": [full(r) for r in kind.requirements] if kind else [],
        "documents": [full(d) for d in kind.documents] if kind else [],
        "model_3d": kind.model_3d if kind else "",
    }


def _visible_parent(parts: WebParts, me: Actor, twin: Twin, now: int) -> str | None:
    parent = parts.registry.by_id(value_at(twin.parent, now) or "")
    return parent.id if parent is not None and parts.authoriser.knows(me, parent) else None


def _level_detail(rows: list[dict[str, Any]], signals: list[str], commands: list[str]) -> dict[str, Any]:
    latest: dict[str, dict[str, Any]] = {}
    for row in rows:
        latest[row["subject"]] = row
    own = latest.get("")

    def level_of(kind: str, name: str) -> str:
        row = latest.get(f"{kind}:{name}") or latest.get(name)
        return row["level"] if row else "model"

    return {
        "level": own["level"] if own else "model",
        "since": at(own["since"]) if own else None,
        "why": str(own["evidence"].get("why", "")) if own else "No data have flowed yet",
        "signals": {s: level_of("signal", s) for s in signals},
        "commands": {c: level_of("command", c) for c in commands},
    }
