"""Registers: orders, routings, parts, technicians and whatever else plans are made from."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.register import RegisterEntry
from servitwin.usecases.registers import entries_of_csv, entries_of_json
from servitwin.web.api.answers import answer, at, from_cursor, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.planning import (
    RegisterEntries,
    RegisterEntryIn,
    RegisterEntryShape,
    RegisterImported,
    RegisterList,
    RegisterRevisions,
)

router = router_of("planning")
Party = Annotated[str, Query(max_length=100, description="default: the caller's")]
_MANY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.get("/registers", response_model=RegisterList)
def list_registers(parts: Parts, me: Me) -> Response:
    """All registers, with the shape of their entries."""
    counts = parts.records.register_counts(parts.registers.readable(me))
    return answer(
        {
            "items": [
                {
                    "name": k.name, "title": k.title, "entries": counts.get(k.name, 0),
                    "schema": msgspec.json.schema(k.struct),
                }
                for k in parts.registers.kinds()
            ]
        }
    )  # fmt: skip


@router.get("/registers/{kind}", response_model=RegisterEntries)
def list_register_entries(
    parts: Parts,
    me: Me,
    kind: str,
    party: Annotated[str, Query(max_length=100, description="default: all that the caller may read")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """RegisterEntries that the caller may read, by party and id."""
    last, _, id = from_cursor(cursor).partition("\n")
    found = parts.registers.entries(me, kind, party, (last, id), limit + 1)
    following = to_cursor(f"{found[limit - 1].party}\n{found[limit - 1].id}") if len(found) > limit else None
    return answer({"items": [_entry(e) for e in found[:limit]], "next": following})


@router.post("/registers/{kind}", response_model=RegisterImported, openapi_extra=_MANY)
async def import_register_entries(request: Request, parts: Parts, me: Me, kind: str, party: Party = "") -> Response:
    """Write many entries: a JSON list of objects with an `id`, or a CSV table. All are kept, or none."""
    content = await request.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()

    def take() -> list[RegisterEntry]:
        declared = parts.registers.kind(kind)
        if media == "text/csv":
            bodies = entries_of_csv(content, declared)
        elif media == "application/json":
            bodies = entries_of_json(content)
        else:
            hint = "Send application/json or text/csv"
            raise InvalidInputError(Fault("register:media-type", f"{media[:80]!r} is not read here", hint))
        return parts.registers.put_many(me, kind, bodies, party)

    kept = await run_in_threadpool(take)
    return answer({"kept": len(kept), "ids": [e.id for e in kept]})


@router.get("/registers/{kind}/{id}", response_model=RegisterEntryShape)
def read_register_entry(
    parts: Parts,
    me: Me,
    kind: str,
    id: str,
    party: Party = "",
    as_of: Annotated[str | None, Query(description="default: now")] = None,
) -> Response:
    """An entry as it is, or as it was at an instant."""
    instant = None if as_of is None else time_of(as_of, "as_of")
    return answer(_entry(parts.registers.one(me, kind, id, party, instant)))


@router.get("/registers/{kind}/{id}/revisions", response_model=RegisterRevisions)
def list_register_revisions(parts: Parts, me: Me, kind: str, id: str, party: Party = "") -> Response:
    """All revisions of an entry, oldest first."""
    return answer({"items": [_entry(e) for e in parts.registers.revisions(me, kind, id, party)]})


@router.put("/registers/{kind}/{id}", response_model=RegisterEntryShape)
def write_register_entry(
    parts: Parts, me: Me, kind: str, id: str, body: RegisterEntryIn, party: Party = ""
) -> Response:
    """Write an entry; what it said before is kept as a revision."""
    return answer(_entry(parts.registers.put(me, kind, id, body.body, party, body.revision)))


@router.delete("/registers/{kind}/{id}", status_code=204)
def remove_register_entry(parts: Parts, me: Me, kind: str, id: str, party: Party = "") -> Response:
    """End an entry; its revisions stay."""
    parts.registers.remove(me, kind, id, party)
    return Response(status_code=204)


def _entry(e: RegisterEntry) -> dict[str, Any]:
    return {
        "kind": e.kind, "id": e.id, "party": e.party, "revision": e.revision, "at": at(e.at), "by": e.by,
        "removed": e.removed, "body": e.body,
    }  # fmt: skip
