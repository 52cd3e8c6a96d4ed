"""A bus and an ingest process as `servitwin serve` runs them, for tests that need the real parts."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from servitwin.config import BusSettings, Settings
from servitwin.domain.machine_type import MachineType
from servitwin.domain.twin import Twin
from servitwin.engines.bus import BusClient, NatsServer
from servitwin.engines.records import SqlRecords, migrate
from tests.patience import PATIENCE

COLUMNS = ["twin", "signal", "time", "number", "text", "flag", "quality", "shard", "seq", "idx"]


class Node:
    """Bus and ingest on a data folder of their own."""

    def __init__(self, data: Path, **settings: Any) -> None:
        self.data = data
        self.server = NatsServer(data / "bus", "internal", "s3cret", time.time_ns, anonymous=True)
        self._more = settings
        self.ingest: subprocess.Popen[bytes] | None = None
        migrate(self.settings.records)
        self.records = SqlRecords(self.settings.records)

    @property
    def settings(self) -> Settings:
        bus = BusSettings(self.server.host, self.server.port, self.server.mqtt_port, "internal", "s3cret")
        return Settings(data=str(self.data), bus=bus, **self._more)

    def register(self, types: Sequence[MachineType], twins: Sequence[Twin]) -> None:
        for t in types:
            self.records.add_machine_type(t)
        for w in twins:
            self.records.save_twin(w)

    def start(self) -> Node:
        self.server.start()
        self.start_ingest()
        return self

    def start_ingest(self) -> None:
        self.ingest = subprocess.Popen(
            [sys.executable, "-m", "servitwin.bootstrap", "worker", "ingest", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.ingest.stdin is not None
        assert self.ingest.stdout is not None
        self.ingest.stdin.write(msgspec.json.encode(self.settings))
        self.ingest.stdin.close()
        line = self.ingest.stdout.readline()
        assert line and json.loads(line)["ready"], f"ingest did not get ready: {line!r}"

    def end_ingest(self) -> int:
        assert self.ingest is not None
        self.ingest.terminate()
        code = self.ingest.wait(20)
        if self.ingest.stdout is not None:
            self.ingest.stdout.close()
        return code

    def kill_ingest(self) -> None:
        assert self.ingest is not None
        self.ingest.kill()
        self.ingest.wait()

    def kill_bus(self) -> None:
        process = self.server._process
        assert process is not None
        process.kill()
        process.wait()

    def stop(self) -> None:
        if self.ingest is not None and self.ingest.poll() is None:
            self.end_ingest()
        self.server.stop()

    async def client(self, name: str = "test") -> BusClient:
        return await BusClient.connect(self.server.host, self.server.port, "internal", "s3cret", name)

    def ask(self, subject: str, request: dict[str, Any] | None = None) -> Any:
        return json.loads(self.ask_raw(subject, request))

    def ask_raw(self, subject: str, request: dict[str, Any] | None = None) -> bytes:
        async def go() -> bytes:
            bus = await self.client()
            try:
                return await bus.request(subject, json.dumps(request or {}).encode(), 10)
            finally:
                await bus.close()

        return asyncio.run(go())

    def publish(self, twin: str, *payloads: bytes) -> None:
        """By acknowledged publish, each payload once."""

        async def go() -> None:
            bus = await self.client()
            for p in payloads:
                await bus.publish_acknowledged(f"in.{twin}.observations", p, "")
            await bus.close()

        asyncio.run(go())

    def tell(self, subject: str, message: dict[str, Any]) -> None:
        """Tell whoever listens, and wait until the bus has it."""

        async def go() -> None:
            bus = await self.client()
            await bus.publish(subject, json.dumps(message).encode())
            await bus.flush()
            await bus.close()

        asyncio.run(go())

    def table(self, name: str = "observations") -> pa.Table:
        """All that is committed."""
        table = DeltaTable(str(self.data / "history" / name))
        uris = table.file_uris()
        return (
            pa.concat_tables(
                [pq.ParquetFile(u).read(columns=COLUMNS if name == "observations" else None) for u in uris]
            )
            if uris
            else pa.table({c: [] for c in COLUMNS})
        )

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError("what was waited for did not happen in time")
