"""Machine types, and checking of files."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.machine_type import MachineType
from servitwin.usecases.check_files import Checked, FileText, known_of, read_files
from servitwin.usecases.register_types import RegisterTypes
from servitwin.web.api.answers import answer, answer_tagged, full, page_of
from servitwin.web.api.bodies import file_body
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.twin import CheckResult, MachineTypeShape, MachineTypeSummary, Registered

router = router_of("machine types", route_class=APIRoute)
_FILE = file_body("machine_type: mill-500\nversion: 2\nsignals:\n  power: {unit: kW}\n", json={"type": "object"})


@router.get("/machine-types", response_model=Page[MachineTypeSummary])
def list_machine_types(
    request: Request,
    parts: Parts,
    me: Me,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Machine types in all versions: those of twins the caller may know, all for who runs the node."""
    visible = _visible(parts, me)
    found = sorted((t for t in parts.registry.types().values() if visible(t)), key=_key)
    items, following = page_of(found, limit, cursor, _key)
    shown = [
        {
            "name": t.name,
            "version": t.version,
            "reference": t.reference,
            "title": t.title,
            "manufacturer": t.manufacturer,
            "signals": len(t.signals),
            "commands": len(t.commands),
            "registered_from": t.registered_from,
        }
        for t in items
    ]
    return answer_tagged(request, {"items": shown, "next": following})


@router.get("/machine-types/{reference}", response_model=MachineTypeShape)
def read_machine_type(request: Request, parts: Parts, me: Me, reference: str) -> Response:
    """A type as `name@version` (without a version its highest), in the form that `POST` takes."""
    visible = _visible(parts, me)
    candidates = [t for t in parts.registry.types().values() if reference in (t.reference, t.name)]
    if not candidates or not visible(candidates[-1]):
        raise NotFoundError(
            Fault(
                "machine-type:unknown",
                f"There is no type {reference[:100]!r}",
                "GET /api/v1/machine-types",
                "reference",
            )
        )
    return answer_tagged(request, full(max(candidates, key=lambda t: t.version)))


@router.post("/machine-types", response_model=Registered, status_code=201, openapi_extra=_FILE)
async def register_machine_type(request: Request, parts: Parts, me: Me) -> Response:
    """Publish a version of a type: YAML as people write it, or JSON as `GET` gives it. 200 if it was there already."""
    parts.authoriser.require_on_node(me, "run")
    text = _text(await request.body())
    if request.headers.get("content-type", "").startswith("application/json"):
        kind = _from_json(text)
    else:
        kind = await run_in_threadpool(_from_yaml, parts, text)
    told: list[str] = []
    result = await run_in_threadpool(RegisterTypes(parts.records, parts.audit, told.append).register, [kind], me)
    for subject in told:
        await parts.bus.publish(subject, b"{}")
    await run_in_threadpool(parts.registry.reload)
    return answer({"registered": result.registered, "unchanged": result.unchanged}, 201 if result.registered else 200)


@router.post("/check", response_model=CheckResult, openapi_extra=_FILE)
async def check_file(
    request: Request, parts: Parts, me: Me, name: Annotated[str, Query(max_length=200)] = "file.yaml"
) -> Response:
    """All faults of a machine type or plant file at once, with line and column. Nothing is changed."""
    text = _text(await request.body())

    def check() -> Checked:
        known = known_of(parts.records) if parts.authoriser.may_on_node(me, "run") else None
        return read_files([FileText(name, text)], known=known, check_connection=parts.check_connection)

    checked = await run_in_threadpool(check)
    return answer({"ok": not checked.faults, "faults": [full(f) for f in checked.faults]})


def _key(t: MachineType) -> str:
    return f"{t.name}@{t.version:09d}"


def _visible(parts: Parts, me: Me) -> Any:
    if parts.authoriser.may_on_node(me, "run"):
        return lambda _: True
    known = parts.authoriser.known(me)
    used = {d.value for t in parts.registry.twins() if t.uid in known for d in t.type}
    return lambda t: t.reference in used


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as e:
        raise InvalidInputError(
            Fault("file:not-utf-8", f"The text is not UTF-8 at byte {e.start}", "Save it as UTF-8")
        ) from None


def _from_yaml(parts: Parts, text: str) -> MachineType:
    checked = read_files([FileText("machine type", text)], known=known_of(parts.records))
    if checked.faults:
        raise InvalidInputError(checked.faults)
    if len(checked.types) != 1:
        raise InvalidInputError(
            Fault("machine-type:missing", "That is no machine type", "It begins with `machine_type:`")
        )
    return checked.types[0]


def _from_json(text: str) -> MachineType:
    try:
        return msgspec.json.decode(text, type=MachineType)
    except (msgspec.DecodeError, RecursionError) as e:
        raise InvalidInputError(
            Fault("machine-type:wrong-shape", str(e), "Send what GET /api/v1/machine-types/{reference} gives")
        ) from None
