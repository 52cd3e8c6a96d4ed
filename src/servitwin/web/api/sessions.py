"""Signing in and out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import Request, Response

from servitwin.domain.party import Actor
from servitwin.usecases.machine_time import calendar_name
from servitwin.usecases.sign_in import SESSION_LASTS, Caller, person
from servitwin.web.api.answers import answer
from servitwin.web.api.callers import Parts, SignedIn
from servitwin.web.api.gate import COOKIE
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.access import SessionAnswer, SignIn
from servitwin.web.api.shapes.base import Done

router = router_of("session")


@router.post("/session", response_model=SessionAnswer)
def start_session(request: Request, parts: Parts, body: SignIn) -> Response:
    """Sign in: sets the session cookie, and ends the session it replaces. Failed attempts make the next ones wait."""
    address = request.client.host if request.client else "?"
    session = parts.sign_in.start(body.account, body.password, address)
    before: Caller | None = request.state.caller
    if before is not None and before.csrf:
        parts.sign_in.end(request.cookies[COOKIE], before)
    response = answer(_shown(parts, Caller(person(session.account), session.account, session.csrf)))
    response.set_cookie(
        COOKIE,
        session.secret,
        max_age=SESSION_LASTS // 10**9,
        httponly=True,
        samesite="strict",
        secure=parts.options.secure,
        path="/",
    )
    return response


@router.get("/session", response_model=SessionAnswer)
def current_session(parts: Parts, caller: SignedIn) -> Response:
    """Who is signed in, and the token to send with unsafe calls; 401 if nobody is."""
    return answer(_shown(parts, caller))


@router.delete("/session", response_model=Done)
def end_session(request: Request, parts: Parts, caller: SignedIn) -> Response:
    """Sign out: the cookie is worth nothing from now on."""
    secret = request.cookies.get(COOKIE, "")
    if secret:
        parts.sign_in.end(secret, caller)
    response = answer({"done": True})
    response.delete_cookie(COOKIE, path="/", secure=parts.options.secure, httponly=True, samesite="strict")
    return response


def _shown(parts: WebParts, caller: Caller) -> dict[str, Any]:
    account, actor = caller.account, caller.actor
    return {
        "account": {
            "id": actor.id,
            "name": account.name if account else actor.id,
            "party": actor.party,
            "roles": actor.roles,
            "locale": account.locale if account else "en",
        },
        "csrf": caller.csrf,
        "anonymous": account is None and actor.id == "anonymous",
        "time_zone": _plant_zone(parts, actor),
    }


def _plant_zone(parts: WebParts, actor: Actor) -> str | None:
    """The zone in which pages show times: that of the calendar most of the caller's twins work by."""
    known, now = parts.authoriser.known(actor), parts.now()
    names = Counter(calendar_name(parts.registry, t, now) for t in parts.registry.twins() if t.uid in known)
    for name, _ in names.most_common():
        calendar = parts.registry.calendar(name) if name else None
        if calendar is not None:
            return calendar.time_zone
    return None
