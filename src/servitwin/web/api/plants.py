"""Plant files into a running node."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.usecases.check_files import decode_text
from servitwin.usecases.import_files import FilesImported, ImportFiles
from servitwin.usecases.import_plant import ImportPlant
from servitwin.usecases.kept_plants import connections, is_mapped
from servitwin.usecases.register_types import RegisterTypes
from servitwin.web.api.answers import answer
from servitwin.web.api.bodies import file_body
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.twin import PlantImported

router = router_of("twins", route_class=APIRoute)
_FILE = file_body("plant: shop\ntwins:\n  press-1: {kind: machine, serial: P-1}\n")


@router.post("/plants", response_model=PlantImported, openapi_extra=_FILE)
async def import_plant(
    request: Request, parts: Parts, me: Me, name: Annotated[str, Query(max_length=200)] = "plant.yaml"
) -> Response:
    """Bring a plant file in, as `servitwin serve --plant` does at a start; nothing of it if it has a fault.

    Import it as often as you like: only what differs is changed. Mappings of foreign MQTT topics take effect at once.
    """
    parts.authoriser.require_on_node(me, "run")
    body = await request.body()
    told: list[str] = []
    imported, restart = await run_in_threadpool(_import, parts, me, name, body, told)
    for subject in dict.fromkeys(told):
        await parts.bus.publish(subject, b"{}")
    return answer(
        {
            "registered": imported.registered,
            "unchanged": imported.unchanged,
            "changed": imported.changed,
            "retired": imported.retired,
            "restart": restart,
        }
    )


def _import(parts: WebParts, me: Actor, name: str, body: bytes, told: list[str]) -> tuple[FilesImported, list[str]]:
    faults: list[Fault] = []
    file = decode_text(name, body, None, faults)
    if file is None:
        raise InvalidInputError(faults)
    before = {c.name: c for c in connections(parts.records)}
    importer = ImportFiles(
        parts.records,
        RegisterTypes(parts.records, parts.audit, told.append),
        ImportPlant(parts.records, parts.audit, told.append, parts.now, parts.new_id),
        parts.check_connection,
        parts.now,
    )
    imported = importer.import_files([file], me)
    parts.registry.reload()
    if "changed.connections" in told:
        parts.machines_changed()
    after = {c.name: c for c in connections(parts.records)}
    differ = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    # Connectors with a process begin with the node; what ingest reads by itself has changed already.
    waiting = [n for n in differ if any(c is not None and not is_mapped(c) for c in (before.get(n), after.get(n)))]
    return imported, waiting
