"""Keys with which machines sign what they send."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.machine_key import MachineKey, is_demanded
from servitwin.usecases.keep_machine_keys import KeepMachineKeys
from servitwin.usecases.state_evidence import StateEvidence
from servitwin.web.api.answers import answer, at, time_of
from servitwin.web.api.callers import Me, Parts, known_twin, permitted_twin
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.machine_key import (
    MachineKeyIn,
    MachineKeyRevocationIn,
    MachineKeyShape,
    MachineKeysShape,
)

router = router_of("evidence")


@router.get("/twins/{id}/keys", response_model=MachineKeysShape)
def list_machine_keys(parts: Parts, me: Me, id: str) -> Response:
    """Keys with which the machine's gateway signs or signed: whoever may read the machine checks with them."""
    twin = permitted_twin(parts, me, id, "read")
    keys = _keep(parts).of(twin)
    return answer({"items": [_out(k, twin.id) for k in keys], "demanded": is_demanded(keys, parts.now())})


@router.post("/twins/{id}/keys", response_model=MachineKeyShape, status_code=201)
async def register_machine_key(parts: Parts, me: Me, id: str, body: MachineKeyIn) -> Response:
    """Register a public key. From `since` on, messages of this machine that no key of it has signed are refused."""
    twin = known_twin(parts, me, id)
    since = None if body.since is None else time_of(body.since, "since")
    key = await run_in_threadpool(
        _keep(parts).register, me, twin, body.public_key, body.name, since, body.replaces
    )  # fmt: skip
    await _tell(parts)
    return answer(_out(key, twin.id), 201)


@router.post("/twins/{id}/keys/{key}/revoke", response_model=MachineKeyShape)
async def revoke_machine_key(parts: Parts, me: Me, id: str, key: str, body: MachineKeyRevocationIn) -> Response:
    """Revoke a key. A machine without another key is not heard any more, unless `unsigned` is said."""
    twin = known_twin(parts, me, id)
    since = None if body.from_ is None else time_of(body.from_, "from")

    def revoke() -> MachineKey:
        return _keep(parts).revoke(me, twin, key, body.reason, since, unsigned=body.unsigned)

    done = await run_in_threadpool(revoke)
    await _tell(parts)
    return answer(_out(done, twin.id))


def _keep(parts: WebParts) -> KeepMachineKeys:
    evidence = StateEvidence(parts.records, parts.authoriser.operator)
    return KeepMachineKeys(parts.records, parts.authoriser, parts.audit, evidence, parts.now)


async def _tell(parts: WebParts) -> None:
    await run_in_threadpool(parts.registry.reload)
    await parts.bus.publish("changed.twins", b"{}")


def _out(key: MachineKey, twin: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "twin": twin,
        "name": key.name,
        "public_key": key.public_key,
        "since": at(key.since),
        "revoked": at(key.revoked),
        "released": at(key.released),
        "reason": key.reason,
    }
