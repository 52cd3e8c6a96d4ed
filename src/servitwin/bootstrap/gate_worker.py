"""One release through the gate, in a process that gives way, has bounded memory, and ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from servitwin.bootstrap.controller_worker import seen_in
from servitwin.bootstrap.operator import operator_of
from servitwin.bootstrap.priority import give_way
from servitwin.bootstrap.reader import open_reader
from servitwin.bootstrap.worker import limit_memory
from servitwin.config import Settings
from servitwin.domain.twin import Twin
from servitwin.engines.bus.client import BusClient
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.records import SqlRecords
from servitwin.proof.controller.conformance_report import Seen
from servitwin.sdk.discovery import plugin
from servitwin.sdk.rehearsal import Instruction, RehearsalPlugin, Rehearsed
from servitwin.usecases.gate_steps import SHOW_EVERY_S, Rehearse
from servitwin.usecases.kept_plants import connections, is_mapped
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_gate import RunGate

_MEGABYTES = 3000
_MOST_ROWS = 2_000_000
_LOOK_EVERY_S = 1.0


def run(settings: Settings) -> None:
    """Take the release that waits longest through the gate."""
    give_way()
    limit_memory(_MEGABYTES)
    asyncio.run(_gate(settings))


async def _gate(settings: Settings) -> None:
    records = SqlRecords(settings.records)
    at = settings.bus
    bus = await BusClient.connect(at.host, at.port, at.user, at.password, "release-gate")
    registry = Registry(records)
    reader = open_reader(settings, bus, registry, asyncio.get_running_loop())

    def observe(twin: Twin, signals: Sequence[str], start: int, end: int) -> list[Seen]:
        found = reader.many_series([(twin.uid, s) for s in signals], start, end, before=True, most=_MOST_ROWS)
        return [seen for series in found.values() for seen in seen_in(series)]

    gate = RunGate(
        records, FileFolder(settings.folder / "files"), registry, reader,
        lambda machine_type: rehearsal_of(records, registry, machine_type), observe, lambda: operator_of(records),
        time.monotonic, time.time_ns, lambda: time.sleep(_LOOK_EVERY_S),
    )  # fmt: skip
    await asyncio.to_thread(gate.run_next)
    await bus.close()
    records.close()


def rehearsal_of(records: SqlRecords, registry: Registry, machine_type: str) -> Rehearse | None:
    """The simulation of the first machine of a type whose connection offers rehearsals; None: none does."""
    now = time.time_ns()
    for connection in connections(records):
        if is_mapped(connection):
            continue
        for id in connection.twins:
            twin = registry.by_id(id)
            own = registry.type_at(twin, now) if twin is not None else None
            if own is None or own.name != machine_type:
                continue
            module: object = plugin("connector", connection.connector).load()
            if isinstance(module, RehearsalPlugin):
                return _rehearse(module, dict(connection.config), id)
    return None


def _rehearse(module: RehearsalPlugin, config: dict[str, object], twin: str) -> Rehearse:
    def rehearse(instructions: Sequence[Instruction], seconds: float, seed: int) -> Rehearsed | None:
        return module.rehearse(config, twin, instructions, seconds, seed, SHOW_EVERY_S)

    return rehearse
