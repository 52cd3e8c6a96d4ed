"""Lanes of services, and partners' processes that are waited for no longer, with real records and a real bus."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from servitwin.bootstrap.service_lanes import ServiceLanes
from servitwin.domain.error import Fault
from servitwin.domain.observation import Cut, Series
from servitwin.engines.records import SqlRecords
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, assign_service
from servitwin.usecases.registry import Registry
from servitwin.usecases.service_ports import StepRequest, StepResult
from tests.crane_records import UID, crane_records
from tests.service_runner import service_runner


class EmptyHistory:
    """Nothing was ever observed."""

    def __init__(self) -> None:
        self.asked = 0

    def cut(self) -> Cut:
        self.asked += 1
        return {0: 0}

    def many_series(self, wanted: Sequence[tuple[str, str]], *_: Any, **__: Any) -> dict[tuple[str, str], Series]:
        none = np.array([], np.int64)
        return {w: Series(*w, none, none.astype(np.float64), None, None, none.astype(np.uint8), {}) for w in wanted}

    def changed_since(self, cut: Cut) -> dict[str, tuple[int, int]]:
        return {}


class TwoPartners:
    """Two services in processes of their own; one gives no answer until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def manifests(self) -> Mapping[str, Manifest]:
        made = (Manifest(n, "1", "evaluator", n, reads=("load",), cadence="1ms", lateness="0s") for n in ("hung", "ok"))
        return {m.name: m for m in made}

    def lane(self, service: str) -> str:
        return service

    def check(self, service: str, parameters: Mapping[str, Any]) -> Sequence[Fault]:
        return []

    def step(self, service: str, request: StepRequest) -> StepResult:
        if service == "hung":
            assert self.go.wait(30)
        return StepResult(Outcome(), b"")


@pytest.fixture
def records(tmp_path: Path) -> SqlRecords:
    return crane_records(tmp_path)


async def test_a_service_that_hangs_keeps_no_other_waiting(records: SqlRecords) -> None:
    host, registry = TwoPartners(), Registry(records)
    for name in ("hung", "ok"):
        assign_service(records, registry, host, Assignment(name, UID, 0))
    runner = service_runner(EmptyHistory(), records, host, registry)
    stop = asyncio.Event()
    running = asyncio.create_task(ServiceLanes(runner, 0.02).run(stop))
    async with asyncio.timeout(20):
        while len(records.outcomes("ok", UID, 0, 2**62)) < 3:
            await asyncio.sleep(0.02)
        assert records.outcomes("hung", UID, 0, 2**62) == []
        host.go.set()
        while not records.outcomes("hung", UID, 0, 2**62):
            await asyncio.sleep(0.02)
        stop.set()
        await running


async def test_without_assignments_history_is_not_opened(records: SqlRecords) -> None:
    history = EmptyHistory()
    runner = service_runner(history, records, TwoPartners())
    assert runner.lanes() == set() and runner.advance(10**18) == 0
    assert history.asked == 0
