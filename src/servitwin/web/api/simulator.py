"""The tray of faults of a simulated plant."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

from servitwin.domain.error import Fault, NotFoundError, UnavailableError
from servitwin.domain.party import Actor
from servitwin.web.api.answers import answer, at
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.node_status import plugin_connections
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.system import FaultSwitchIn, SimulatorAnswer

router = router_of("simulator")
_ASK_S = 5.0


@router.get("/simulator", response_model=SimulatorAnswer)
async def read_simulator(parts: Parts, me: Me) -> Response:
    """Faults that can be broken and mended in the simulation; 404 where no simulator runs."""
    parts.authoriser.require_on_node(me, "simulate")
    rows = [row for rows in (await _trays(parts)).values() for row in rows]
    return answer({"faults": _shown(parts, me, rows)})


@router.post("/simulator/faults", response_model=SimulatorAnswer)
async def switch_fault(parts: Parts, me: Me, body: FaultSwitchIn) -> Response:
    """Break or mend a component in the simulation."""
    parts.authoriser.require_on_node(me, "simulate")
    twin = known_twin(parts, me, body.twin)
    trays = await _trays(parts)
    for connection, rows in trays.items():
        if any(r["twin"] == twin.id and r["fault"] == body.fault for r in rows):
            order = {"do": "inject" if body.active else "mend", "twin": twin.id, "fault": body.fault}
            said = await _control(parts, connection, order)
            parts.audit.note(me, "simulator.fault", twin.id, {"fault": body.fault, "active": body.active})
            return answer({"faults": _shown(parts, me, said)})
    raise NotFoundError(
        Fault(
            "simulator:fault-unknown", f"{twin.id} has no fault {body.fault[:80]!r}", "GET /api/v1/simulator", "fault"
        )
    )


async def _trays(parts: WebParts) -> dict[str, list[dict[str, Any]]]:
    """Rows of each connection that has a tray.

    Raises:
        NotFoundError: ``simulator:none``.
    """
    trays = {}
    for connection in plugin_connections(parts.options.data):
        rows = await _control(parts, connection, {"do": "list"})
        if rows:
            trays[connection] = rows
    if not trays:
        raise NotFoundError(Fault("simulator:none", "No simulator runs on this node", "`make demo` starts one"))
    return trays


async def _control(parts: WebParts, connection: str, order: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        said = await parts.bus.request(f"plugin.{connection}.control", msgspec.json.encode(order), _ASK_S)
    except UnavailableError:
        return []
    rows: list[dict[str, Any]] = msgspec.json.decode(said, type=dict[str, Any]).get("faults", [])
    return [r for r in rows if "fault" in r and "twin" in r]


def _shown(parts: WebParts, me: Actor, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = parts.authoriser.known(me)
    shown = []
    for row in rows:
        twin = parts.registry.by_id(row["twin"])
        if twin is None or twin.uid not in known:
            continue
        since = row.get("since")
        shown.append(
            {
                "twin": row["twin"],
                "fault": row["fault"],
                "title": row.get("title", row["fault"]),
                "component": row.get("component", ""),
                "active": bool(row.get("active")),
                "since": at(since) if isinstance(since, int) else since,
            }
        )
    return shown
