"""EPCIS 2.0: events of traced parts in and out, in the standard's own words (GS1 EPCIS 2.0, chapter 12)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from servitwin.domain.instant import EARLIEST, LATEST, format_instant
from servitwin.domain.kept_trace import KeptTrace
from servitwin.domain.trace_id import require_object_id, twin_of_place
from servitwin.formats.epcis_reader import read_document
from servitwin.formats.epcis_words import CONTEXT, NAMESPACE, PREFIX
from servitwin.formats.epcis_writer import write_event
from servitwin.web.api.answers import answer, from_cursor, full, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.routers import router_of
from servitwin.web.api.schedules import done
from servitwin.web.api.shapes.trace import CaptureAnswer, EpcisQueryDocument
from servitwin.web.api.trace_parts import keeper, tracer

router = router_of("quality")
_HEADERS = {"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0", "GS1-EPCIS-Capture-Error-Behaviour": "rollback"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            f"application/{kind}": {"schema": {"type": "object", "description": "EPCISDocument, or one event"}}
            for kind in ("ld+json", "json")
        },
    }
}


@router.post("/epcis/v2/capture", response_model=CaptureAnswer, status_code=202, openapi_extra=_BODY)
async def capture_epcis(request: Request, parts: Parts, me: Me) -> Response:
    """Keep the events of an EPCIS 2.0 document (JSON-LD), all of them or none; the same again changes nothing.

    An event whose `readPoint` or `bizLocation` is `urn:servitwin:loc:MACHINE` needs the right to report for that
    machine; others belong to the caller's party. An `errorDeclaration` withdraws the event of that id.

    What was sent or received under a business transaction tells the delivery of that reference (`GET /deliveries`);
    `not_matched` says which events are about none so far: they are kept, and looked at again.
    """
    content = await request.body()
    kept = await done(
        parts, lambda desk: keeper(parts, desk.told, desk.keep_deliveries).capture(read_document(content), me)
    )
    return answer(full(kept), 202, _HEADERS)


@router.get("/epcis/v2/events", response_model=EpcisQueryDocument)
def list_epcis_events(
    request: Request,
    parts: Parts,
    me: Me,
    since: Annotated[str | None, Query(alias="GE_eventTime")] = None,
    before: Annotated[str | None, Query(alias="LT_eventTime")] = None,
    about: Annotated[str | None, Query(alias="MATCH_anyEPC", description="one id")] = None,
    place: Annotated[str | None, Query(alias="EQ_readPoint", description="`urn:servitwin:loc:MACHINE`")] = None,
    kind: Annotated[str | None, Query(alias="eventType")] = None,
    limit: Annotated[int, Query(alias="perPage", ge=1, le=5000)] = 500,
    token: Annotated[str | None, Query(alias="nextPageToken")] = None,
) -> Response:
    """Events that the caller may see, oldest first, as an EPCISQueryDocument; a `Link` header names the next page."""
    start = EARLIEST if since is None else time_of(since, "GE_eventTime")
    end = LATEST if before is None else time_of(before, "LT_eventTime")
    twin = known_twin(parts, me, twin_of_place(place)).uid if place else None
    begin, _, last = from_cursor(token).partition("|")
    if begin:
        start = max(start, time_of(begin, "nextPageToken"))
    ask = tracer(parts, me)
    if about:
        found = [k for k in ask.about(require_object_id(about)) if start <= k.event.time < end]
    else:
        found = ask.events(start, end, twin=twin, product="", limit=limit + 1_000)
    found = [k for k in found if twin is None or k.twin == twin]
    rest = [k for k in found if not last or (k.event.time, k.event.id) > (int(begin), last)]
    written = [(k, write_event(k.event, k.received or None)) for k in rest]
    shown = [(k, e) for k, e in written if kind is None or e["type"] == kind][:limit]
    headers = dict(_HEADERS)
    if len(rest) > len(shown) and shown:
        headers["Link"] = f'<{_next(request, shown[-1][0])}>; rel="next"'
    return answer(_document([e for _, e in shown], parts.now()), 200, headers)


def _next(request: Request, last: KeptTrace) -> str:
    query = dict(request.query_params) | {"nextPageToken": to_cursor(f"{last.event.time}|{last.event.id}")}
    return f"{request.url.path}?{urlencode(query)}"


def _document(events: list[dict[str, Any]], now: int) -> dict[str, Any]:
    return {
        "@context": [CONTEXT, {PREFIX: NAMESPACE}],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": format_instant(now),
        "epcisBody": {"queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": events}}},
    }
