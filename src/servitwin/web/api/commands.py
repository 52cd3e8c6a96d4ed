"""Commands: requested here, decided and sent by the services worker."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Header, Query, Response

from servitwin.domain.command import Command
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, UnavailableError
from servitwin.web.api.answers import answer, at, fault_body, from_cursor, full, to_cursor
from servitwin.web.api.callers import Me, Parts, known_twin, permitted_twin
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.command import CommandAnswer, CommandIn

router = router_of("commands")
_ASK_S = 10.0
_KINDS = {"not-found": NotFoundError, "conflict": ConflictError, "invalid": InvalidInputError}


class _Refused(msgspec.Struct):
    faults: list[Fault]
    error: str = "invalid"


@router.post("/twins/{id}/commands/{name}", response_model=CommandAnswer, status_code=202)
async def send_command(
    parts: Parts,
    me: Me,
    id: str,
    name: str,
    body: CommandIn,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Send a command if rights, risk and the machine's state allow it; 409 with `command:...` if they do not.

    The answer is the command as sent; its later life is told by events and by `GET /commands/{id}`.
    """
    twin = permitted_twin(parts, me, id, "command")
    request = {
        "twin": twin.id,
        "name": name,
        "actor": me,
        "parameters": body.parameters,
        "key": body.key or idempotency_key or "",
    }
    said = await parts.bus.request("ask.command", msgspec.json.encode(request), _ASK_S)
    try:
        command = msgspec.json.decode(said, type=Command)
    except msgspec.ValidationError:
        raise _refusal(said) from None
    shown = _shown(parts, command)
    if command.status == "refused":
        fault = Fault(command.reason, command.reason_text, "Ask again when that has changed", "name")
        return answer({**fault_body([fault]), "command": shown}, 409)
    return answer(shown, 202)


def _refusal(said: bytes) -> Exception:
    try:
        refused = msgspec.json.decode(said, type=_Refused)
    except msgspec.DecodeError:
        return UnavailableError(Fault("command:no-answer", "The services worker did not answer as agreed", "Try again"))
    return _KINDS.get(refused.error, InvalidInputError)(refused.faults)


@router.get("/twins/{id}/commands", response_model=Page[CommandAnswer])
def list_commands(
    parts: Parts, me: Me, id: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: str | None = None
) -> Response:
    """Commands of a twin, newest first."""
    twin = permitted_twin(parts, me, id, "read")
    found = parts.records.commands(twin.uid, after=from_cursor(cursor), limit=limit + 1)
    page = found[:limit]
    following = to_cursor(page[-1].id) if len(found) > limit else None
    return answer({"items": [_shown(parts, c) for c in page], "next": following})


@router.get("/commands/{id}", response_model=CommandAnswer)
def read_command(parts: Parts, me: Me, id: str) -> Response:
    """One command with its whole life so far."""
    command = parts.records.command(id)
    twin = parts.registry.by_uid(command.twin) if command else None
    if command is None or twin is None or not parts.authoriser.may(me, "read", twin):
        raise NotFoundError(Fault("command:unknown", f"There is no command {id[:80]!r}", "", "id"))
    known_twin(parts, me, twin.id)
    return answer(_shown(parts, command))


def _shown(parts: WebParts, command: Command) -> dict[str, Any]:
    twin = parts.registry.by_uid(command.twin)
    shown = full(command)
    times = {name: at(shown[name]) for name in ("issued", "sent", "answered", "effect_seen", "expires")}
    names = ("id", "name", "parameters", "issuer", "issued_by", "status", "reason", "reason_text", "effect_signal")
    return {**{name: shown[name] for name in names}, **times, "twin": twin.id if twin else command.twin}
