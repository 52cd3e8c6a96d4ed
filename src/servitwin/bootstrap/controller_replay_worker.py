"""One replay of a counterexample: a simulated machine speaks to the broker, and history is judged; then it ends."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from servitwin.bootstrap.controller_worker import seen_in
from servitwin.bootstrap.reader import open_reader
from servitwin.config import Settings
from servitwin.connectors.simulator.plant import Broker
from servitwin.connectors.simulator.played import PlayedMachine
from servitwin.domain.error import Fault, UnavailableError
from servitwin.domain.twin import Twin
from servitwin.engines.bus.client import BusClient
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.records import SqlRecords
from servitwin.proof.controller.drive import Shown
from servitwin.sdk.connector import NotReadyError
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_controller_replay import run_next_replay

_LOOK_EVERY_S = 0.5
_LOOKS = 60


def run(settings: Settings) -> None:
    """Do the replay that waits longest."""
    asyncio.run(_replay(settings))


async def _replay(settings: Settings) -> None:
    records = SqlRecords(settings.records)
    at = settings.bus
    bus = await BusClient.connect(at.host, at.port, at.user, at.password, "controller-replay")
    reader = open_reader(settings, bus, Registry(records), asyncio.get_running_loop())
    broker = Broker(at.mqtt_host or at.host, at.mqtt_port, settings.tls.certificate)
    looks = iter(range(_LOOKS))

    def play(twin: Twin, session: str, steps: Iterable[Shown], pace: float) -> list[int]:
        with tempfile.TemporaryDirectory(prefix="servitwin-replay-") as folder:
            machine = PlayedMachine(twin.id, broker, at.user, at.password, Path(folder), session, time.time_ns)
            try:
                return machine.play(steps, pace)
            except NotReadyError as e:
                raise UnavailableError(Fault("simulator:broker", str(e), "See the health of the node")) from e

    def read_back(twin: Twin, signals: list[str], start: int, end: int) -> dict[int, dict[str, float | str | bool]]:
        rows: dict[int, dict[str, float | str | bool]] = {}
        for series in reader.many_series([(twin.uid, s) for s in signals], start, end).values():
            for seen in seen_in(series):
                if seen.value is not None:
                    rows.setdefault(seen.time, {})[seen.signal] = seen.value
        return rows

    def patience() -> bool:
        time.sleep(_LOOK_EVERY_S)
        return next(looks, None) is not None

    files = FileFolder(settings.folder / "files")
    await asyncio.to_thread(run_next_replay, records, files, play, read_back, time.time_ns, patience)
    await bus.close()
    records.close()
