"""Upkeep of history, one round in a process of its own: its memory is given back, and it never hurries."""

from __future__ import annotations

import time
from functools import partial

from servitwin.bootstrap.priority import give_way
from servitwin.bootstrap.worker import report_ready
from servitwin.config import Settings
from servitwin.domain.instant import DAY
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.history.backlog import small_files
from servitwin.engines.history.projections import roll_up
from servitwin.engines.history.upkeep import Dropped, Hold, compact, retain, vacuum
from servitwin.engines.records import SqlRecords
from servitwin.usecases.legal_hold import case_holds, held
from servitwin.usecases.registry import Registry


def run(settings: Settings) -> None:
    """Roll up, put small files together, drop what is older than is kept, delete what nobody needs."""
    give_way()
    records = SqlRecords(settings.records)
    registry = Registry(records)

    def define(uid: str, name: str) -> SignalDefinition | None:
        return registry.signals(uid, time.time_ns()).get(name)

    folder = settings.history
    covered = roll_up(folder, now=time.time_ns, define=define)
    replaced = compact(folder, now=time.time_ns)
    dropped: list[Dropped] = []
    if settings.retention_days:
        needed = held(records, registry, time.time_ns(), [partial(case_holds, records)])
        holds = [Hold(h.twin, h.start, h.end) for h in needed]
        dropped = retain(folder, now=time.time_ns, rows_for=settings.retention_days * DAY, holds=holds)
    deleted = vacuum(folder)
    records.close()
    report_ready(
        covered={str(shard): seq for shard, seq in covered.items()},
        replaced=replaced,
        deleted=deleted,
        small=small_files(folder),
        dropped=[f"{d.table} {d.day}: {d.rows} rows, {d.held} held" for d in dropped],
    )
