"""Health of the node: for people, for supervisors of containers, and for Prometheus."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import ServitwinError, UnavailableError
from servitwin.formats.plant import Connection
from servitwin.usecases.kept_plants import connections, is_mapped
from servitwin.web.api.answers import answer, at
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.node_status import PLUGIN, disk, plugin_connections, processes
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.system import ConnectionShape, HealthAnswer, LiveAnswer, ReadyAnswer

router = router_of("node", route_class=APIRoute)
probes = router_of("node", at="", route_class=APIRoute)
_ASK_S = 2.0


@router.get("/health", response_model=HealthAnswer)
async def read_health(parts: Parts, me: Me) -> Response:
    """Processes, ingest, streams, disk and plugin workers in one look."""
    parts.authoriser.require_on_node(me, "watch")
    ingest, services = await asyncio.gather(_ask(parts, "ask.ingest"), _ask(parts, "ask.services"))
    running = processes(parts.options.data)
    missing = [name for name, said in (("ingest", ingest), ("services", services)) if said is None]
    missing += [p["name"] for p in running if p["state"] != "running"]
    counts = await run_in_threadpool(parts.history.quarantine_counts)
    plugins = [
        {"connection": name, **(await _ask(parts, f"plugin.{name}.status") or {"condition": "silent"})}
        for name in plugin_connections(parts.options.data)
    ]
    return answer(
        {
            "ok": not missing,
            "version": parts.options.version,
            "now": at(parts.now()),
            "processes": running,
            "ingest": ingest,
            "services": services,
            "streams": await _streams(parts),
            "upkeep": await _upkeep(parts),
            "disk": disk(parts.options.data),
            "plugins": plugins,
            "browsers": parts.live.open_streams,
            "quarantine": counts,
            "broker_refusals": await run_in_threadpool(parts.broker_refusals),
            "missing": missing,
        }
    )


@router.get("/connections", response_model=Page[ConnectionShape])
async def list_connections(parts: Parts, me: Me) -> Response:
    """Connections of the caller's twins, all for who runs the node, and their condition."""
    parts.authoriser.require_on_node(me, "watch")
    declared = {c.name: c for c in await run_in_threadpool(connections, parts.records)}
    running = {p["name"].removeprefix(PLUGIN): p for p in processes(parts.options.data) if p["name"].startswith(PLUGIN)}
    known = parts.authoriser.known(me)
    everything = parts.authoriser.may_on_node(me, "run")
    items = []
    for name in sorted({*declared, *running}):
        found = declared.get(name)
        twins = [parts.registry.by_id(id) for id in (found.twins if found else ())]
        seen = [t.id for t in twins if t is not None and t.uid in known]
        if not seen and not everything:
            continue
        if found is not None and is_mapped(found):
            said = await _mapping_status(parts, found)
        else:
            said = await _ask(parts, f"plugin.{name}.status") if name in running else None
        said = said or {"condition": "silent", "detail": "Its worker does not answer"}
        items.append(
            {
                "id": name,
                "plugin": found.connector if found else "",
                "title": name,
                "condition": str(said.get("condition", "silent")),
                "message": str(said.get("detail", "")),
                "twins": seen,
                "topics": [m["topic"] for m in found.config.get("mappings", ())] if found and is_mapped(found) else [],
            }
        )
    return answer({"items": items, "next": None})


@probes.get("/health/live", response_model=LiveAnswer)
async def read_live() -> Response:
    """Whether this process answers."""
    return answer({"live": True})


@probes.get("/health/ready", response_model=ReadyAnswer, responses={503: {"model": ReadyAnswer}})
async def read_ready(parts: Parts) -> Response:
    """Whether calls will succeed: records answer, the bus is there, ingest answers."""

    async def records() -> bool:
        try:
            await run_in_threadpool(parts.records.twins_revision)
        except ServitwinError:
            return False
        return True

    async def ingest() -> bool:
        return await _ask(parts, "ask.ingest") is not None

    found = await asyncio.gather(records(), ingest())
    state = {"records": found[0], "ingest": found[1]}
    return answer({"ready": all(state.values()), "parts": state}, 200 if all(state.values()) else 503)


@probes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def read_metrics(parts: Parts, me: Me) -> Response:
    """The counters in Prometheus text format 0.0.4."""
    parts.authoriser.require_on_node(me, "watch")
    lines = [
        "# HELP servitwin_browsers Open event streams.",
        "# TYPE servitwin_browsers gauge",
        f"servitwin_browsers {parts.live.open_streams}",
        "# HELP servitwin_disk_free_bytes Free room on the disk of the data folder.",
        "# TYPE servitwin_disk_free_bytes gauge",
        f"servitwin_disk_free_bytes {disk(parts.options.data)['free_bytes']}",
        "# HELP servitwin_memory_bytes Resident memory of a process.",
        "# TYPE servitwin_memory_bytes gauge",
    ]
    lines += [
        f'servitwin_memory_bytes{{process="{p["name"]}"}} {int(p["memory_mb"] * 2**20)}'
        for p in processes(parts.options.data)
        if p["memory_mb"] is not None
    ]
    for name, value in sorted((await _ask(parts, "ask.ingest") or {}).items()):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            metric = f"servitwin_ingest_{_metric(name)}"
            lines += [f"# HELP {metric} As ingest counts it.", f"# TYPE {metric} untyped", f"{metric} {value}"]
    counts = await run_in_threadpool(parts.history.quarantine_counts)
    lines += ["# HELP servitwin_quarantine Entries in quarantine by code.", "# TYPE servitwin_quarantine gauge"]
    lines += [f'servitwin_quarantine{{code="{_label(code)}"}} {n}' for code, n in counts.items()]
    refused = (await run_in_threadpool(parts.broker_refusals))["counts"]
    lines += [
        "# HELP servitwin_broker_refused_total What the broker refused.",
        "# TYPE servitwin_broker_refused_total counter",
    ]
    lines += [f'servitwin_broker_refused_total{{code="{_label(code)}"}} {n}' for code, n in refused.items()]
    upkeep = await _upkeep(parts)
    for measure, what in (("files", "Files"), ("rows", "Rows"), ("seconds", "Time the first has waited")):
        metric = f"servitwin_upkeep_waiting_{measure}"
        lines += [f"# HELP {metric} {what}, of what upkeep has still to do.", f"# TYPE {metric} gauge"]
        lines += [f'{metric}{{job="{u["job"]}"}} {u[measure]}' for u in upkeep]
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _metric(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


async def _streams(parts: WebParts) -> list[dict[str, Any]]:
    """How far ingest is with each stream; a shard that does not answer is left out."""
    found = []
    for shard in parts.options.shards:
        said = await _ask(parts, f"ask.cut.{shard}")
        if said is not None:
            lag = said["received"] - said["committed"]
            found.append({"shard": shard, "committed": said["committed"], "received": said["received"], "lag": lag})
    return found


async def _upkeep(parts: WebParts) -> list[dict[str, Any]]:
    """How far upkeep of history is behind what is committed."""
    found = await run_in_threadpool(parts.history.backlogs, parts.now())
    return [{"job": job, "files": b.files, "rows": b.rows, "seconds": round(b.seconds, 3)} for job, b in found.items()]


async def _mapping_status(parts: WebParts, connection: Connection) -> dict[str, Any] | None:
    """Condition of a connection whose mappings ingest reads; None if ingest does not answer."""
    if await _ask(parts, "ask.ingest") is None:
        return None
    mappings = len(connection.config.get("mappings", ()))
    return {"condition": "running", "detail": f"{mappings} mapping{'s' if mappings != 1 else ''} read by ingest"}


async def _ask(parts: WebParts, subject: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(await parts.bus.request(subject, b"{}", _ASK_S), type=dict[str, Any])
    except (UnavailableError, msgspec.DecodeError):
        return None
