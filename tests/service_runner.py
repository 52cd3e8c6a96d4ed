"""Services that run beside no bus: what they tell it is gathered."""

from __future__ import annotations

import itertools
from typing import Any

from servitwin.engines.records import SqlRecords
from servitwin.usecases.keep_findings import KeepFindings
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_service import RunServices


def service_runner(
    history: Any,
    records: SqlRecords,
    host: Any,
    registry: Registry | None = None,
    told: list[tuple[str, bytes]] | None = None,
) -> RunServices:
    """A runner with ids of cases in order; ``told`` gets what the bus would hear."""
    numbers = itertools.count(1)
    known = registry or Registry(records)
    findings = KeepFindings(known, records, lambda: f"case-{next(numbers)}")
    gathered = [] if told is None else told
    return RunServices(history, records, known, host, findings, lambda *m: gathered.append(m))
