"""The event stream of a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.usecases.tell_events import PARTY_KINDS
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.live import Subscriber
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of

router = router_of("events", route_class=APIRoute)
_TOPICS = {"live", "happened"}


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`event: live` (LiveEvent), `event: happened` (EventShape, with id), `event: resync`, "
            "`event: signed-out`; a comment every ten seconds",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream_events(
    request: Request,
    parts: Parts,
    me: Me,
    topics: Annotated[str, Query(description="comma-separated: live, happened")] = "live,happened",
    twins: Annotated[
        list[str] | None, Query(max_length=1000, description="only these; default: all you may see")
    ] = None,
    last_event_id: Annotated[str | None, Header(max_length=30)] = None,
) -> StreamingResponse:
    """Server-sent events: live values of twins (each at most at 10 Hz, the first change at once) and what happened."""
    wanted = {t.strip() for t in topics.split(",") if t.strip()}
    if not wanted or wanted - _TOPICS:
        raise InvalidInputError(
            Fault("events:topic-unknown", "Topics are live and happened", "?topics=live,happened", "topics")
        )
    only = None if twins is None else {known_twin(parts, me, id).uid for id in _split(twins)}
    after = _event_id(last_event_id)
    subscriber = Subscriber(
        _sight(parts, me, only), _event_sight(parts, me, only), "live" in wanted, "happened" in wanted
    )
    begin = {t.uid: t.id for t in parts.registry.twins(simulated=True) if only is None or t.uid in only}
    is_valid: Callable[[], bool] = request.state.still_valid

    async def still_valid() -> bool:
        return await run_in_threadpool(is_valid)

    return StreamingResponse(
        parts.live.stream(subscriber, begin, after, still_valid),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _split(twins: list[str]) -> list[str]:
    return [part for entry in twins for part in entry.split(",") if part]


def _event_id(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise InvalidInputError(
            Fault("events:id-not-understood", "That is no id of an event", "Leave it out", "Last-Event-ID")
        )
    return int(text)


def _sight(parts: WebParts, me: Actor, only: set[str] | None) -> Callable[[str], bool | Callable[[str], bool]]:
    """What this caller sees of a twin: the answer is kept until rights or twins change."""
    kept: dict[str, bool | Callable[[str], bool]] = {}
    version: object = None

    def sees(uid: str) -> bool | Callable[[str], bool]:
        nonlocal version
        index = parts.authoriser.index()
        if index is not version:
            kept.clear()
            version = index
        known = kept.get(uid)
        if known is None:
            known = kept[uid] = _look(uid)
        return known

    def _look(uid: str) -> bool | Callable[[str], bool]:
        twin = parts.registry.by_uid(uid)
        if twin is None or (only is not None and uid not in only):
            return False
        if uid in parts.authoriser.readable(me):
            return True
        return parts.authoriser.signals(me, twin) if parts.authoriser.knows(me, twin) else False

    return sees


def _event_sight(parts: WebParts, me: Actor, only: set[str] | None) -> Callable[[str, str], bool]:
    """Events of a twin go to who may read it now; events of a party to its people, of the node to who runs it."""

    def sees(kind: str, subject: str) -> bool:
        if kind in PARTY_KINDS:
            return only is None and parts.authoriser.may_for_party(me, "see_plan", subject)
        twin = parts.registry.by_uid(subject) or parts.registry.by_id(subject)
        if twin is not None:
            return (only is None or twin.uid in only) and twin.uid in parts.authoriser.readable(me)
        return only is None and parts.authoriser.may_on_node(me, "run")

    return sees
