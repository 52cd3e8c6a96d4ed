"""Processes that are asked once and end, real ones."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from servitwin.bootstrap.short_worker import ask_worker
from servitwin.config import Settings
from servitwin.domain.error import UnavailableError
from servitwin.engines.records import migrate


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_it_answers_and_its_failure_is_told(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    with pytest.raises(UnavailableError, match="worker:failed"):
        await ask_worker("recall", settings)
    migrate(settings.records)
    assert msgspec.json.decode(await ask_worker("recall", settings)) == []


async def test_whoever_is_cancelled_takes_the_process_along(tmp_path: Path) -> None:
    before = children()
    asking = asyncio.create_task(ask_worker("upkeep", Settings(data=str(tmp_path))))
    async with asyncio.timeout(20):
        while not children() - before:
            await asyncio.sleep(0.01)
        (started,) = children() - before
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert not Path(f"/proc/{started}").exists()
