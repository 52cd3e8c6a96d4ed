"""Signing in and out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from servitwin.usecases.sign_in import SESSION_LASTS, Caller, person
from servitwin.web.api.answers import answer
from servitwin.web.api.callers import Parts, SignedIn
from servitwin.web.api.gate import COOKIE
from servitwin.web.api.shapes.access import SessionAnswer, SignIn
from servitwin.web.api.shapes.base import Done

router = APIRouter(tags=["session"])


@router.post("/session", response_model=SessionAnswer)
def start_session(request: Request, parts: Parts, body: SignIn) -> Response:
    """Sign in: sets the session cookie. Failed attempts make the next ones wait."""
    address = request.client.host if request.client else "?"
    session = parts.sign_in.start(body.account, body.password, address)
    response = answer(_shown(Caller(person(session.account), session.account, session.csrf)))
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
async def current_session(caller: SignedIn) -> Response:
    """Who is signed in, and the token to send with unsafe calls; 401 if nobody is."""
    return answer(_shown(caller))


@router.delete("/session", response_model=Done)
def end_session(request: Request, parts: Parts, caller: SignedIn) -> Response:
    """Sign out: the cookie is worth nothing from now on."""
    secret = request.cookies.get(COOKIE, "")
    if secret:
        parts.sign_in.end(secret, caller)
    response = answer({"done": True})
    response.delete_cookie(COOKIE, path="/", secure=parts.options.secure, httponly=True, samesite="strict")
    return response


def _shown(caller: Caller) -> dict[str, Any]:
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
    }
