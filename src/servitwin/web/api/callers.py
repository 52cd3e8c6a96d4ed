"""Who calls, and the parts a route works with, as dependencies of routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from servitwin.domain.error import Fault, RefusedError
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.authorise import Action, unknown_twin
from servitwin.usecases.sign_in import Caller
from servitwin.web.api.parts import WebParts


async def _parts(request: Request) -> WebParts:
    parts: WebParts = request.app.state.parts
    return parts


async def _caller(request: Request) -> Caller:
    caller: Caller | None = request.state.caller
    if caller is None:
        raise RefusedError(
            Fault("session:required", "Sign in first", "POST /api/v1/session, or send Authorization: Bearer TOKEN")
        )
    return caller


async def _actor(caller: Annotated[Caller, Depends(_caller)]) -> Actor:
    return caller.actor


Parts = Annotated[WebParts, Depends(_parts)]
SignedIn = Annotated[Caller, Depends(_caller)]
Me = Annotated[Actor, Depends(_actor)]


def known_twin(parts: WebParts, actor: Actor, id: str) -> Twin:
    """The twin with that id, if the caller may know that it exists.

    Raises:
        NotFoundError: ``twin:unknown``, the same whether it does not exist or is none of the caller's business.
    """
    twin = parts.registry.by_id(id)
    if twin is None or not parts.authoriser.knows(actor, twin):
        raise unknown_twin(id)
    return twin


def permitted_twin(parts: WebParts, actor: Actor, id: str, action: Action) -> Twin:
    """The twin with that id, if the caller may do that with it now.

    Raises:
        NotFoundError: ``twin:unknown``.
        RefusedError: ``access:not-permitted``.
    """
    twin = known_twin(parts, actor, id)
    parts.authoriser.require(actor, action, twin)
    return twin


def readable_span(parts: WebParts, actor: Actor, twin: Twin, signal: str, start: int, end: int) -> tuple[int, int]:
    """The part of [start, end) that the caller may read: rights follow ownership at the observation's time.

    Raises:
        RefusedError: ``range:not-yours`` if it may read nothing of it, ``range:owner-changed`` if its right is broken
            by a time in which another owned the twin.
    """
    spans = parts.authoriser.spans(actor, twin, signal, start, end)
    if not spans:
        raise RefusedError(
            Fault(
                "range:not-yours",
                f"You may not read {signal or twin.id} in that range",
                "Rights follow ownership at the time of the observation; ask its owner for a grant",
                "from",
            )
        )
    if len(spans) > 1:
        raise RefusedError(
            Fault(
                "range:owner-changed",
                "In that range the twin belonged to someone else for a while",
                "Ask for each stretch by itself: " + ", ".join(f"[{a}, {b})" for a, b in spans[:5]),
                "from",
            )
        )
    return spans[0]
