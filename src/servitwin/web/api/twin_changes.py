"""Creating and changing twins over the API."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import msgspec
from fastapi import Body, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.domain.twin import TWIN_ID, Twin
from servitwin.usecases.authorise import not_permitted
from servitwin.usecases.import_plant import ImportPlant
from servitwin.web.api.answers import answer, entity_tag, require_match
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.twin import TwinDetail
from servitwin.web.api.twins import detail

router = router_of("twins")
_one_at_a_time = threading.Lock()  # of two calls with the same If-Match the second must see what the first changed
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TwinIn"}}},
    }
}


@router.put("/twins/{id}", response_model=TwinDetail, openapi_extra=_BODY)
async def save_twin(
    request: Request,
    parts: Parts,
    me: Me,
    id: Annotated[str, Path(max_length=200)],
    body: Annotated[dict[str, Any], Body()],
) -> Response:
    """Create a twin, or replace what is said of it, by a body as in `plant.yaml`; 201 if it is new.

    A value without dates holds from now on; what held before stays in history. `If-Match` with the twin's ETag makes
    the call fail with 412 if somebody changed it meanwhile; `If-None-Match: *` creates only.
    """
    told: list[str] = []
    twin, is_new = await run_in_threadpool(_save, request, parts, me, id, body, told)
    for subject in told:
        await parts.bus.publish(subject, b"{}")
    shown = await run_in_threadpool(detail, parts, me, twin)
    return answer(shown, 201 if is_new else 200, {"ETag": twin_tag(twin)})


def twin_tag(twin: Twin) -> str:
    """Entity tag of what ``PUT`` changes of a twin."""
    return entity_tag(msgspec.json.encode(twin, order="deterministic"))


def _save(
    request: Request, parts: WebParts, me: Actor, id: str, body: dict[str, Any], told: list[str]
) -> tuple[Twin, bool]:
    if not TWIN_ID.match(id):
        raise InvalidInputError(
            Fault("twin:id-malformed", f"{id[:80]!r} is no id of a twin", "a-z, 0-9, - and _, at most 63", "id")
        )
    with _one_at_a_time:
        return _save_alone(request, parts, me, id, body, told)


def _save_alone(
    request: Request, parts: WebParts, me: Actor, id: str, body: dict[str, Any], told: list[str]
) -> tuple[Twin, bool]:
    present = parts.records.twin(id)
    if present is None or not parts.authoriser.knows(me, present):
        if not parts.authoriser.may_on_node(me, "run"):
            raise not_permitted("create", f"twin {id}")
    else:
        parts.authoriser.require(me, "configure", present)
    require_match(request, twin_tag(present) if present else None)
    registered_from = body.pop("registered_from", "")
    if not isinstance(registered_from, str) or len(registered_from) > 500:
        raise InvalidInputError(Fault("twin:registered-from", "registered_from is a text", "", "registered_from"))
    saver = ImportPlant(parts.records, parts.audit, told.append, parts.now, parts.new_id)
    twin = saver.save_twin(id, body, me)
    if registered_from and twin.registered_from != registered_from:
        twin = msgspec.structs.replace(twin, registered_from=registered_from)
        parts.records.save_twin(twin)
        told[:] = ["changed.twins"]
    parts.registry.reload()
    return twin, present is None
