"""The web application of a node: API, pages, health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import Response

from servitwin.domain.error import Fault, ServitwinError
from servitwin.web.api import (
    acceptances,
    administration,
    anomalies,
    cases,
    commands,
    contracts,
    controller_replays,
    controllers,
    epcis,
    events,
    evidence,
    health,
    history,
    job_sheets,
    jobs,
    machine_keys,
    machine_types,
    maintenance,
    money,
    observations,
    offers,
    plants,
    prices,
    provenance,
    quarantine,
    reasons,
    registers,
    releases,
    remaining_life,
    requirements,
    results,
    robots,
    schedules,
    services,
    sessions,
    settlements,
    simulations,
    simulator,
    spc,
    state,
    states,
    traces,
    twin_changes,
    twins,
    ui,
    value,
    work_orders,
)
from servitwin.web.api.answers import answer, answer_faults, fault_body
from servitwin.web.api.gate import COOKIE, Gate
from servitwin.web.api.parts import API, WebParts
from servitwin.web.api.shapes.base import ErrorShape
from servitwin.web.api.shapes.system import EventShape, LiveEvent
from servitwin.web.api.shapes.twin import TwinIn
from servitwin.web.standards import did

NOUNS = (
    sessions,
    twins,
    twin_changes,
    state,
    observations,
    history,
    states,
    commands,
    machine_keys,
    machine_types,
    plants,
    quarantine,
    anomalies,
    services,
    events,
    health,
    simulator,
    provenance,
    administration,
    contracts,
    acceptances,
    settlements,
    prices,
    offers,
    value,
    money,
    results,
    reasons,
    cases,
    requirements,
    evidence,
    work_orders,
    controllers,
    controller_replays,
    releases,
    registers,
    remaining_life,
    jobs,
    maintenance,
    job_sheets,
    simulations,
    traces,
    epcis,
    spc,
    schedules,
    robots,
)
_DESCRIPTION = """Twins of machines, lines and factories: live state, history, time of state, commands, access.

Times are RFC 3339 UTC in answers, RFC 3339 or nanoseconds UTC in questions; ranges are [from, to); ratios are 0 to 1.
Lists are paged by `limit` and `cursor`; lists and twins carry an `ETag`. Every failed call answers with the shape
`ErrorShape`: a stable `code`, what was wrong, how to mend it and where. Browsers sign in by `POST /session` and send
the answer's `csrf` as header `X-CSRF-Token` with every unsafe call; programs send `Authorization: Bearer TOKEN`.
"""
_FAULTS = {
    400: "What was sent cannot be accepted as it is",
    401: "Nobody is signed in, or the token is worth nothing",
    403: "The caller may not do this",
    404: "It does not exist, or the caller may not know that it does",
    409: "It contradicts what is already there",
    413: "The request is larger than 8 MB",
    422: "The request does not have the documented shape",
    429: "Too many attempts; Retry-After says when to come back",
    503: "A part that is needed does not answer now; the same call may succeed later",
}


def create_app(parts: WebParts) -> FastAPI:
    """The application over its parts. Its lifespan starts and stops the live hub."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await parts.live.start()
        try:
            yield
        finally:
            await parts.live.stop()

    app = FastAPI(
        title="servitwin",
        version=parts.options.version,
        description=_DESCRIPTION,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    app.state.parts = parts
    api = APIRouter(prefix=API)
    for noun in NOUNS:
        api.include_router(noun.router)
    app.include_router(api)
    app.include_router(health.probes)
    app.include_router(did.router)
    app.include_router(ui.router)
    app.add_middleware(Gate, parts=parts)
    app.add_exception_handler(ServitwinError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _add_faults(document: dict[str, Any]) -> None:
    """What every call of the API may answer, described once.

    As responses of each route they would double the time of a start, and written out make most of the document.
    """
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorShape"}}}
    shared = {f"Fault{code}": {"description": text, "content": content} for code, text in _FAULTS.items()}
    document["components"]["responses"] = shared
    faults = {str(code): {"$ref": f"#/components/responses/Fault{code}"} for code in _FAULTS}
    for path, operations in document["paths"].items():
        if not path.startswith(API):
            continue
        for operation in operations.values():
            own = {c: r for c, r in operation["responses"].items() if "HTTPValidationError" not in str(r)}
            operation["responses"] = dict(sorted({**faults, **own}.items()))


def _operation_id(route: APIRoute) -> str:
    return route.name


async def _on_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServitwinError)
    return answer_faults(error)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        Fault(
            "request:invalid",
            str(e["msg"]),
            "Compare it with /api/v1/openapi.json",
            ".".join(str(part)[:80] for part in e["loc"]).encode("utf-8", "replace").decode(),
        )
        for e in error.errors()[:50]
    ]
    return answer(fault_body(faults), 422)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, ServitwinError):  # FastAPI wraps what the gate raises while a body is read
        return answer_faults(error.__cause__)
    code = {404: "request:path-unknown", 405: "request:method-not-allowed"}.get(error.status_code, "request:invalid")
    fault = Fault(code, str(error.detail), "The paths are in /api/v1/openapi.json", request.url.path[:200])
    return answer(fault_body([fault]), error.status_code, error.headers)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with security schemes and the shapes of streamed events."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, servers=[{"url": "/"}]
    )
    _, streamed = models_json_schema(
        [
            (LiveEvent, "serialization"),
            (EventShape, "serialization"),
            (ErrorShape, "serialization"),
            (TwinIn, "validation"),
        ],
        ref_template="#/components/schemas/{model}",
    )
    document["components"]["schemas"] |= streamed["$defs"]
    _add_faults(document)
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "token": {"type": "http", "scheme": "bearer"},
    }
    document["security"] = [{"session": []}, {"token": []}]
    document["paths"][f"{API}/session"]["post"]["security"] = []
    app.openapi_schema = document
    return document
