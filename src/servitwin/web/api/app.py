"""The web application of a node: API, pages, health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
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
    deliveries,
    description,
    epcis,
    events,
    evidence,
    failure_models,
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
    routine,
    savings,
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
from servitwin.web.api.gate import Gate
from servitwin.web.api.parts import WebParts
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
    savings,
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
    failure_models,
    jobs,
    maintenance,
    job_sheets,
    simulations,
    traces,
    epcis,
    spc,
    schedules,
    routine,
    deliveries,
    robots,
)

_ROUTERS = (*[noun.router for noun in NOUNS], health.probes, did.router, description.router, ui.router)


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
        openapi_url=None,
        routes=[route for router in _ROUTERS for route in router.routes],
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.parts = parts
    app.add_middleware(Gate, parts=parts)
    app.add_exception_handler(ServitwinError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unforeseen)
    return app


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


async def _on_unforeseen(request: Request, _: Exception) -> Response:
    """Told in the same form; the error goes on to the server, which logs it."""
    hint = "Look whether it took effect before you repeat it; who runs this node finds the rest in its log"
    fault = Fault("node:unforeseen", "The node failed at this call", hint, request.url.path[:200])
    return answer(fault_body([fault]), 500, {"Connection": "close"})  # the server closes it: nobody sends on it then
