"""One check of a controller, in a process that gives way, has bounded memory, and ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator

from servitwin.bootstrap.priority import give_way
from servitwin.bootstrap.reader import open_reader
from servitwin.bootstrap.worker import limit_memory
from servitwin.config import Settings
from servitwin.domain.kept_controller import ControllerCheck
from servitwin.domain.observation import Series
from servitwin.engines.bus.client import BusClient
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.records import SqlRecords
from servitwin.proof.controller.conformance_report import Seen
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_controller_check import run_next

_MEGABYTES = 3000
_MOST_ROWS = 2_000_000


def run(settings: Settings) -> None:
    """Do the check that waits longest."""
    give_way()
    limit_memory(_MEGABYTES)
    asyncio.run(_check(settings))


async def _check(settings: Settings) -> None:
    records = SqlRecords(settings.records)
    at = settings.bus
    bus = await BusClient.connect(at.host, at.port, at.user, at.password, "controller-check")
    loop = asyncio.get_running_loop()

    def observe(check: ControllerCheck, signals: list[str]) -> Iterable[Seen]:
        reader = open_reader(settings, bus, Registry(records), loop)
        wanted = [(check.twin, s) for s in signals]
        found = reader.many_series(wanted, check.start, check.end, before=True, most=_MOST_ROWS)
        return [seen for series in found.values() for seen in seen_in(series)]

    files = FileFolder(settings.folder / "files")
    await asyncio.to_thread(run_next, records, files, observe, time.monotonic, time.time_ns)
    await bus.close()
    records.close()


def seen_in(series: Series) -> Iterator[Seen]:
    """A series as the comparison takes it; what was not available is None."""
    times = series.time.tolist()
    if series.text is not None:
        values: list[float | str | bool | None] = list(series.text)
    elif series.flag is not None:
        values = [None if v < 0 else bool(v) for v in series.flag.tolist()]
    else:
        numbers = series.number.tolist() if series.number is not None else []
        values = [None if v != v else v for v in numbers]  # noqa: PLR0124  # NaN: not available
    for time_ns, value in zip(times, values, strict=True):
        yield Seen(time_ns, series.signal, value)
