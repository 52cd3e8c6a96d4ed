"""Quarantine: what came in and could not be understood, kept whole, and sent again after mending."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError, UnavailableError
from servitwin.domain.observation import Quarantined
from servitwin.domain.party import Actor
from servitwin.domain.twin import TWIN_ID
from servitwin.web.api.answers import answer, at, from_cursor, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.observation import MappingIn, QuarantineDetail, QuarantinePage, ReplayAnswer, ReplayIn

router = router_of("quarantine")
MOST_COUNTED = 20_000
MOST_REPLAYED = 10_000


@router.get("/quarantine", response_model=QuarantinePage)
def list_quarantine(
    parts: Parts,
    me: Me,
    code: Annotated[str | None, Query(max_length=100)] = None,
    twin: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Entries not yet replayed, newest first: of the caller's twins, and for who runs the node of unknown ones too."""
    shown: list[dict[str, Any]] = []
    following = None
    for entry in _entries(parts, me, code or "", twin or "", from_cursor(cursor)):
        if len(shown) == limit:
            following = to_cursor(shown[-1]["id"])
            break
        shown.append(_shown(entry))
    return answer({"items": shown, "next": following, "counts": _counts(parts, me)})


@router.get("/quarantine/{id}", response_model=QuarantineDetail)
def read_quarantined(parts: Parts, me: Me, id: str) -> Response:
    """One entry with its payload."""
    entry = _find(parts, me, id)
    text = binary = None
    try:
        text = entry.payload.decode()
    except UnicodeDecodeError:
        binary = base64.b64encode(entry.payload).decode()
    parts.audit.note(me, "quarantine.read", id, {"twin": entry.twin})
    return answer({**_shown(entry), "payload_text": text, "payload_base64": binary})


@router.post("/quarantine/replay", response_model=ReplayAnswer)
async def replay_quarantined(parts: Parts, me: Me, body: ReplayIn) -> Response:
    """Send entries again, corrected by `mapping`; what is still faulty comes back as a new entry.

    Each entry counts once, however often it is replayed with the same correction.
    """
    if (body.ids is None) == (body.code is None):
        raise InvalidInputError(Fault("quarantine:which", "Name either `ids` or a `code`", "Not both, not neither"))
    mapping = body.mapping or MappingIn.model_validate({})
    if mapping.payload is not None and (body.ids is None or len(body.ids) != 1):
        raise InvalidInputError(
            Fault("quarantine:one-payload-for-many", "A corrected payload is for one entry", "Name one id", "mapping")
        )
    entries = await run_in_threadpool(_chosen, parts, me, body)
    prepared = [(entry, *_mended(parts, me, entry, mapping)) for entry in entries]
    replayed, repeated = [], 0
    failed: list[str] = []
    for entry, target, payload in prepared:
        mark = hashlib.blake2b(payload, digest_size=8).hexdigest()
        try:
            is_new = await parts.bus.publish_acknowledged(
                f"in.{target}.observations", payload, f"quarantine:{_id(entry)}:{mark}"
            )
        except UnavailableError:
            failed.append(_id(entry))
            continue
        repeated += not is_new
        replayed.append(_id(entry))
    if replayed:
        await parts.bus.request("ask.replayed", msgspec.json.encode({"ids": replayed}), 10.0)
    await run_in_threadpool(
        parts.audit.note, me, "quarantine.replay", body.code or ",".join(body.ids or [])[:500],
        {"replayed": len(replayed), "failed": len(failed)},
    )  # fmt: skip
    return answer({"replayed": len(replayed) - repeated, "repeated": repeated, "failed": failed})


def _chosen(parts: WebParts, me: Actor, body: ReplayIn) -> list[Quarantined]:
    if body.ids is not None:
        found = [_find(parts, me, id) for id in dict.fromkeys(body.ids)]
    else:
        found = []
        for entry in _entries(parts, me, body.code or "", body.twin or "", ""):
            found.append(entry)
            if len(found) == MOST_REPLAYED:
                break
    return found


def _mended(parts: WebParts, me: Actor, entry: Quarantined, mapping: MappingIn) -> tuple[str, bytes]:
    """Twin to send to, and the corrected payload.

    The payload's own session was counted when it came in first: replayed it gets one of its own, named after it.
    """
    target = mapping.twin or entry.twin
    twin = parts.registry.by_id(target)
    if twin is not None:
        parts.authoriser.require(me, "report", twin)
    elif not TWIN_ID.match(target):
        raise NotFoundError(
            Fault("twin:unknown", f"Entry {_id(entry)} names no twin", "Name one in `mapping.twin`", "mapping.twin")
        )
    else:
        parts.authoriser.require_on_node(me, "run")
    payload = entry.payload if mapping.payload is None else mapping.payload.encode("utf-8", "replace")
    try:
        body = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return target, payload
    if not isinstance(body, dict):
        return target, payload
    values = body.get("values")
    if isinstance(values, dict) and mapping.signals:
        body["values"] = {mapping.signals.get(name, name): value for name, value in values.items()}
    if isinstance(body.get("units"), dict) and mapping.signals:
        body["units"] = {mapping.signals.get(name, name): unit for name, unit in body["units"].items()}
    if mapping.time is not None:
        time_of(mapping.time, "mapping.time")
        body["time"] = mapping.time
    elif "time" not in body and "times" not in body:
        body |= {"time": entry.received, "quality": "uncertain"}
    mark = hashlib.blake2b(msgspec.json.encode([target, body]), digest_size=8).hexdigest()
    body |= {"session": f"quarantine:{_id(entry)}:{mark}", "seq": 0}
    return target, msgspec.json.encode(body)


def _may_see(parts: WebParts, me: Actor, entry: Quarantined) -> bool:
    twin = parts.registry.by_id(entry.twin) if entry.twin else None
    if twin is None:
        return parts.authoriser.may_on_node(me, "run")
    return parts.authoriser.may(me, "read", twin, entry.received)


def _entries(parts: WebParts, me: Actor, code: str, twin: str, after: str) -> Iterator[Quarantined]:
    while True:
        found = parts.history.quarantined(after=after, limit=500, code=code, twin=twin)
        for entry in found:
            if _may_see(parts, me, entry):
                yield entry
        if len(found) < 500:
            return
        after = _id(found[-1])


def _counts(parts: WebParts, me: Actor) -> dict[str, int]:
    if parts.authoriser.may_administer(me, ""):
        return parts.history.quarantine_counts()
    counts: dict[str, int] = {}
    for n, entry in enumerate(_entries(parts, me, "", "", "")):
        counts[entry.code] = counts.get(entry.code, 0) + 1
        if n > MOST_COUNTED:
            break
    return counts


def _find(parts: WebParts, me: Actor, id: str) -> Quarantined:
    entry = parts.history.quarantined_entry(id)
    if entry is None or not _may_see(parts, me, entry):
        raise NotFoundError(
            Fault(
                "quarantine:unknown", f"There is no entry {id[:60]!r} in quarantine", "It may have been replayed", "id"
            )
        )
    return entry


def _id(entry: Quarantined) -> str:
    return f"{entry.shard}-{entry.seq}-{entry.idx}"


def _shown(entry: Quarantined) -> dict[str, Any]:
    return {
        "id": _id(entry),
        "received": at(entry.received),
        "source": entry.source,
        "twin": entry.twin,
        "code": entry.code,
        "message": entry.message,
        "where": entry.where,
        "size": len(entry.payload),
    }
