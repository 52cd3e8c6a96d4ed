"""The gate every request passes: size and time limits, who calls, forgery protection, security headers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servitwin.domain.error import Fault, InvalidInputError, RefusedError, ServitwinError
from servitwin.domain.party import Actor
from servitwin.usecases.sign_in import Caller
from servitwin.web.api.answers import answer_faults
from servitwin.web.api.parts import API, WebParts

COOKIE = "servitwin_session"
MAX_BODY = 8 * 2**20
BODY_PART_S = 20.0
_SAFE = {"GET", "HEAD", "OPTIONS"}
_CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", _CSP),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
)


class Gate:
    """Pure ASGI middleware, so that streams pass through it untouched."""

    def __init__(self, app: ASGIApp, parts: WebParts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._with_headers(send, scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        try:
            headers = Headers(scope=scope)
            self._check_length(headers)
            path: str = scope["path"]
            if path.startswith(API) or path == "/metrics":
                state["caller"], state["still_valid"] = await self._caller(headers)
                self._check_forgery(scope, headers, state["caller"])
            await self._app(scope, _bounded(receive), send)
        except ServitwinError as e:
            await answer_faults(e)(scope, receive, send)

    async def _caller(self, headers: Headers) -> tuple[Caller | None, Callable[[], bool]]:
        sign_in = self._parts.sign_in
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme:
            secret = token.strip()
            caller = (
                await run_in_threadpool(sign_in.of_token, secret) if scheme.lower() == "bearer" and secret else None
            )
            if caller is None:
                raise RefusedError(
                    Fault("session:required", "That token is unknown, expired or revoked", "Ask for a new one")
                )
            return caller, lambda: sign_in.of_token(secret) is not None
        cookie = _cookie(headers.get("cookie", ""))
        if cookie:
            caller = await run_in_threadpool(sign_in.of_session, cookie)
            if caller is not None:
                return caller, lambda: sign_in.of_session(cookie) is not None
        role = self._parts.options.anonymous_role
        if role:
            return Caller(Actor("anonymous", "program", "", (role,))), lambda: True  # type: ignore[arg-type]
        return None, lambda: False

    @staticmethod
    def _check_length(headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
            raise _too_large()

    @staticmethod
    def _check_forgery(scope: Scope, headers: Headers, caller: Caller | None) -> None:
        """Unsafe calls of browsers must come from our own pages and carry the session's token."""
        if scope["method"] in _SAFE or headers.get("authorization"):
            return
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host", ""):
            raise RefusedError(Fault("session:foreign-origin", "This call came from another site's page", where=origin))
        if caller is not None and caller.csrf and not _same(headers.get("x-csrf-token", ""), caller.csrf):
            raise RefusedError(
                Fault(
                    "session:csrf-token-missing",
                    "An unsafe call of a browser session needs its token",
                    "Send the `csrf` of GET /api/v1/session as header X-CSRF-Token",
                    "X-CSRF-Token",
                )
            )

    def _with_headers(self, send: Send, scope: Scope) -> Send:
        secure = self._parts.options.secure
        private = scope["path"].startswith(API)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers[name] = value
                if secure:
                    headers["strict-transport-security"] = "max-age=31536000"
                if private and "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        return with_headers


def _bounded(receive: Receive) -> Receive:
    """Refuse bodies that grow too large or come too slowly."""
    size = 0
    complete = False

    async def bounded() -> Message:
        nonlocal size, complete
        if complete:  # only a disconnect can follow: event streams wait for it for hours
            return await receive()
        try:
            async with asyncio.timeout(BODY_PART_S):
                message = await receive()
        except TimeoutError:
            raise InvalidInputError(
                Fault("request:too-slow", "The body did not arrive in time", "Send it without pauses")
            ) from None
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > MAX_BODY:
                raise _too_large()
        return message

    return bounded


def _too_large() -> InvalidInputError:
    return InvalidInputError(
        Fault("request:too-large", f"A request may have {MAX_BODY} bytes", "Send it in parts", "Content-Length")
    )


def _cookie(header: str) -> str:
    if COOKIE not in header:
        return ""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())
