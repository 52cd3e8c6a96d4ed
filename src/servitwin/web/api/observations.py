"""Observations on their way in: durable before the answer, judged by ingest alone."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Annotated, Any

import msgspec
from fastapi import Header, Query, Request, Response
from fastapi.routing import APIRoute

from servitwin.domain.error import Fault, InvalidInputError, UnavailableError
from servitwin.domain.twin import Twin
from servitwin.sdk.signed_payload import split_signed
from servitwin.web.api.answers import answer, at
from servitwin.web.api.callers import Me, Parts, permitted_twin
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.observation import Accepted, CutAnswer, IngestSession

router = router_of("observations", route_class=APIRoute)
SHARD = 1  # stream SERVITWIN, where HTTP, replays and programs publish
_AT_A_TIME = 256
_ASK_S = 10.0  # a busy ingest answers late, and late is better than "try again"
_SAFE_ID = re.compile(r"[\x21-\x7e]{1,200}\Z")


class _Head(msgspec.Struct):
    """What of a payload names it; everything else is ingest's business."""

    session: str = ""
    seq: int | None = None
    time: msgspec.Raw = msgspec.Raw()
    times: msgspec.Raw = msgspec.Raw()


_decode_head = msgspec.json.Decoder(_Head).decode


@router.post(
    "/twins/{id}/observations",
    response_model=Accepted,
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {
                        "time": "2026-09-21T08:15:00.250Z",
                        "values": {"spindle.temperature": 41.2, "execution": "ACTIVE"},
                        "session": "line-a-gateway-17",
                        "seq": 48211,
                    },
                },
                "application/x-ndjson": {"schema": {"type": "string"}},
                "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
async def send_observations(
    request: Request,
    parts: Parts,
    me: Me,
    id: str,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Send one payload (JSON or Arrow, as on MQTT) or many (`application/x-ndjson`, one a line, in order).

    A line with the signature of the machine's key may stand before a single payload, as on MQTT.

    The answer comes when all of it is durable. What cannot be understood is kept in quarantine. The same
    `Idempotency-Key`, or the same `session` and `seq`, counts once.
    """
    twin = permitted_twin(parts, me, id, "report")
    body = await request.body()
    if not body:
        raise InvalidInputError(Fault("payload:empty", "There is nothing in it", "Send a payload as on MQTT"))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-ndjson":
        return await _send_lines(parts, twin, body)
    seq, is_new = await parts.bus.publish_sequenced(_subject(twin), body, message_id(twin, body, idempotency_key))
    return answer(
        {"accepted": 1, "duplicate": not is_new, "duplicates": 0 if is_new else 1, "cut": {str(SHARD): seq}}, 202
    )


async def _send_lines(parts: WebParts, twin: Twin, body: bytes) -> Response:
    lines = [line for line in body.split(b"\n") if line.strip()]
    highest = duplicates = 0
    for i in range(0, len(lines), _AT_A_TIME):
        sent = await asyncio.gather(
            *(
                parts.bus.publish_sequenced(_subject(twin), ln, message_id(twin, ln))
                for ln in lines[i : i + _AT_A_TIME]
            ),
            return_exceptions=True,
        )
        for outcome in sent:
            if isinstance(outcome, BaseException):
                raise outcome
            highest = max(highest, outcome[0])
            duplicates += not outcome[1]
    cut = {str(SHARD): highest}
    return answer({"accepted": len(lines), "duplicate": False, "duplicates": duplicates, "cut": cut}, 202)


def message_id(twin: Twin, payload: bytes, key: str | None = None) -> str:
    """By which the stream knows a message again: the caller's key, else (session, seq), else the content.

    Content counts only where it names its times: a machine may well say the same thing twice.
    """
    if key:
        return _safe(f"{twin.uid}:key:{key}")
    try:
        head = _decode_head(split_signed(payload)[1])
    except (msgspec.DecodeError, RecursionError):
        return _safe(f"{twin.uid}:content:{hashlib.blake2b(payload, digest_size=20).hexdigest()}")
    if head.session and head.seq is not None:
        return _safe(f"{twin.uid}:{head.session}:{head.seq}")
    if not bytes(head.time) and not bytes(head.times):
        return ""
    return _safe(f"{twin.uid}:content:{hashlib.blake2b(payload, digest_size=20).hexdigest()}")


def _safe(id: str) -> str:
    """The id itself where a message header can hold it."""
    return id if _SAFE_ID.match(id) else "digest:" + hashlib.blake2b(id.encode("utf-8", "replace")).hexdigest()[:40]


def _subject(twin: Twin) -> str:
    return f"in.{twin.id}.observations"


@router.get("/cut", response_model=CutAnswer)
async def read_cut(parts: Parts, me: Me) -> Response:
    """How far each shard of ingest has received and committed: wait until `committed` covers what you have sent."""
    _ = me
    committed: dict[str, int] = {}
    received: dict[str, int] = {}
    for shard in parts.options.shards:
        said = msgspec.json.decode(await parts.bus.request(f"ask.cut.{shard}", b"{}", _ASK_S), type=dict[str, int])
        committed[str(shard)], received[str(shard)] = said["committed"], said["received"]
    return answer({"committed": committed, "received": received})


@router.get("/twins/{id}/ingest", response_model=IngestSession)
async def read_ingest_session(
    parts: Parts, me: Me, id: str, session: Annotated[str, Query(max_length=300)]
) -> Response:
    """What ingest has counted for one session of a twin since it started."""
    twin = permitted_twin(parts, me, id, "report")
    question = msgspec.json.encode({"twin": twin.uid, "session": session})
    said: dict[str, Any] = msgspec.json.decode(await parts.bus.request("ask.ingest", question, _ASK_S))
    if "messages" not in said:
        raise UnavailableError(Fault("ingest:no-counts", "Ingest did not answer with counts", "Try again"))
    since = said.get("since")
    names = ("messages", "stored", "quarantined", "repeated")
    return answer(
        {
            "twin": twin.id,
            "session": session,
            **{name: said.get(name, 0) for name in names},
            "since": at(since) if isinstance(since, int) else since,
        }
    )
