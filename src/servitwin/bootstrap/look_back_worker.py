"""Since when each machine has been in its present state, as history has it; ends when it has told."""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec

from servitwin.bootstrap.priority import give_way
from servitwin.bootstrap.reader import open_reader
from servitwin.config import Settings
from servitwin.domain.instant import DAY
from servitwin.domain.state_time import State
from servitwin.engines.bus.client import BusClient
from servitwin.engines.records import SqlRecords
from servitwin.usecases.machine_time import Sources, has_states, read_machines
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

_TWINS_AT_ONCE = 200  # a day of each of them is in memory together


class Held(msgspec.Struct, frozen=True):
    """A machine's state at the end of what is known, and when it began (ns UTC)."""

    state: State
    since: int


def run(settings: Settings) -> None:
    """Write ``{uid: Held}`` of every machine on standard output."""
    give_way()
    asyncio.run(_tell(settings))


async def _tell(settings: Settings) -> None:
    at = settings.bus
    bus = await BusClient.connect(at.host, at.port, at.user, at.password, "look-back")
    records = SqlRecords(settings.records)
    registry = Registry(records)
    reader = open_reader(settings, bus, registry, asyncio.get_running_loop())
    found = await asyncio.to_thread(held, reader, registry, records, time.time_ns())
    sys.stdout.buffer.write(msgspec.json.encode(found))
    sys.stdout.buffer.flush()
    await bus.close()
    records.close()


def held(history: HistoryReader, registry: Registry, records: Records, now: int) -> dict[str, Held]:
    """The state at ``now`` (ns UTC) of every machine that has states, no longer back than a day."""
    sources = Sources(history, registry, records, history.cut())
    machines = [t for t in registry.twins() if has_states(registry, t, now)]
    found = {}
    for i in range(0, len(machines), _TWINS_AT_ONCE):
        for uid, machine in read_machines(sources, machines[i : i + _TWINS_AT_ONCE], now - DAY, now).items():
            if machine.intervals:
                last = machine.intervals[-1]
                found[uid] = Held(last.state, last.start)
    return found
