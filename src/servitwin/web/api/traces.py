"""Traced parts: find them, read their lives, recall what a batch, a tool or a machine's hours went into."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY
from servitwin.domain.kept_trace import KeptObject, ObjectQuery
from servitwin.domain.trace_event import ObjectKind
from servitwin.domain.trace_id import require_object_id
from servitwin.usecases.trace_parts import Recall
from servitwin.web.api.answers import answer, answer_tagged, from_cursor, provenance_url, range_of, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.trace import Genealogy, PartSummary, RecallAnswer, VerdictShape
from servitwin.web.api.trace_parts import recall_csv, shown_life, shown_recall, summary, tracer

router = router_of("quality")
MOST_IDS = 1_000
From = Annotated[str | None, Query(alias="from", description="RFC 3339 or nanoseconds UTC")]


@router.get("/parts", response_model=Page[PartSummary])
def list_parts(
    request: Request,
    parts: Parts,
    me: Me,
    q: Annotated[str, Query(max_length=400, description="beginning of the name, or the whole id")] = "",
    kind: Annotated[ObjectKind | None, Query(description="batches and tools are listed by name")] = "part",
    product: Annotated[str, Query(max_length=200)] = "",
    verdict: VerdictShape = "",
    machine: Annotated[str, Query(max_length=63, description="id of the machine that made it")] = "",
    from_: From = None,
    to: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Parts that the caller may see, newest first: rights follow the machine's ownership when they were made."""
    asked = ObjectQuery(
        None, {}, kind=kind, name=q, product=product, verdict=verdict,
        twin=known_twin(parts, me, machine).uid if machine else "",
        start=None if from_ is None else time_of(from_, "from"), end=None if to is None else time_of(to, "to"),
        after=_after(cursor), limit=limit + 1,
    )  # fmt: skip
    found = tracer(parts, me).find(asked)
    following = to_cursor(_key(found[limit - 1])) if len(found) > limit else None
    return answer_tagged(request, {"items": [summary(o.object) for o in found[:limit]], "next": following})


@router.get("/parts/{id:path}/genealogy", response_model=Genealogy)
def read_genealogy(request: Request, parts: Parts, me: Me, id: str) -> Response:
    """Everything about one part, batch, tool or container: what went into it, what it went into, every event."""
    life = tracer(parts, me).life(require_object_id(id))
    return answer_tagged(request, shown_life(life, provenance_url("trace", part=id)))


@router.get(
    "/recalls",
    response_model=RecallAnswer,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def read_recall(
    parts: Parts,
    me: Me,
    id: Annotated[list[str] | None, Query(description="batches, tools or parts to begin with")] = None,
    direction: Literal["down", "up"] = "down",
    machine: Annotated[str, Query(max_length=63, description="instead of ids: a machine, with from and to")] = "",
    from_: From = None,
    to: str | None = None,
    limit: Annotated[int, Query(ge=0, le=10_000)] = 500,
    form: Literal["json", "csv"] = "json",
) -> Response:
    """All that these things went into (`down`), or all that went into them (`up`); `form=csv` gives every one.

    It rather names a part too many than one too few: time and later unpacking play no part.
    """
    found = _recall(parts, me, id or [], direction, machine, from_, to)
    if form == "csv":
        headers = {"Content-Disposition": 'attachment; filename="recall.csv"'}
        return Response(recall_csv(found), 200, headers, "text/csv; charset=utf-8")
    where = provenance_url("trace", part=(id or [])[:20], machine=machine, from_=from_ or "", to=to or "")
    return answer(shown_recall(found, direction, limit, where))


def _recall(
    parts: Parts,
    me: Me,
    ids: list[str],
    direction: Literal["down", "up"],
    machine: str,
    from_: str | None,
    to: str | None,
) -> Recall:
    if bool(ids) == bool(machine) or len(ids) > MOST_IDS:
        hint = f"Up to {MOST_IDS} times `id`, or `machine` with `from` and `to`"
        raise InvalidInputError(Fault("recall:start-missing", "What is the recall to begin with?", hint, "id"))
    if not machine:
        return tracer(parts, me).recall([require_object_id(i) for i in ids], direction)
    twin = known_twin(parts, me, machine)
    start, end = range_of(from_, to, parts.now(), DAY)
    return tracer(parts, me).recall_interval(twin.uid, start, end)


def _key(o: KeptObject) -> str:
    return f"{o.object.made or 0}|{o.object.id}"


def _after(cursor: str | None) -> tuple[int, str] | None:
    text = from_cursor(cursor)
    if not text:
        return None
    made, _, id = text.partition("|")
    if not made.isdecimal() or not id or len(made) > 19:
        raise InvalidInputError(
            Fault("page:cursor-not-understood", "That is no cursor of this list", "Start without one", "cursor")
        )
    return int(made), id
