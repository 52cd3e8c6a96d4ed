"""``did:web``: the DID document of each party that has keys on this node, for anybody."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.routing import APIRoute

from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.twin import value_at
from servitwin.formats.did_document import did_document
from servitwin.web.api.answers import answer
from servitwin.web.api.callers import Parts
from servitwin.web.api.routers import router_of

router = router_of("standards", at="", route_class=APIRoute)


@router.get("/parties/{party}/did.json", include_in_schema=False)
def read_did(parts: Parts, request: Request, party: str) -> Response:
    """Public keys of a party under the address that the caller used, or the setting ``public_address``."""
    keys = parts.records.party_keys(party)
    machines = [
        key
        for twin in parts.registry.twins(retired=True)
        if value_at(twin.owner, parts.now()) == party
        for key in parts.registry.machine_keys(twin.uid)
    ]
    if not keys:
        raise NotFoundError(Fault("party:no-keys", "No party of that id has keys here", where="party"))
    host = parts.records.setting("public_address") or request.headers.get("host", "")
    headers = {"Content-Type": "application/did+json", "Access-Control-Allow-Origin": "*"}
    return answer(did_document(host, party, keys, machines), headers=headers)
