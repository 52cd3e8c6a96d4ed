"""Child processes, real ones."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from servitwin.bootstrap.children import Child
from servitwin.config import Settings
from servitwin.engines.records import migrate


async def test_a_child_that_is_warmed_up_loads_its_code_before_it_has_its_settings(tmp_path: Path) -> None:
    asked: list[float] = []
    settings = Settings(data=str(tmp_path))
    migrate(settings.records)

    def give() -> Settings:
        asked.append(time.monotonic())
        return settings

    child = Child("upkeep", "upkeep", give, tmp_path, lambda: None)
    try:
        await child.warm_up()
        pid = child.pid
        async with asyncio.timeout(60):
            while "duckdb" not in Path(f"/proc/{pid}/maps").read_text():
                await asyncio.sleep(0.05)
        assert asked == [] and child.ready is None
        await child.start()
        assert child.pid == pid and len(asked) == 1, "the process that is warm is the one that works"
        assert child.ready is not None
    finally:
        await child.stop()


async def test_a_child_that_only_warmed_up_ends_when_told(tmp_path: Path) -> None:
    child = Child("upkeep", "upkeep", lambda: Settings(data=str(tmp_path)), tmp_path, lambda: None)
    await child.warm_up()
    began = time.monotonic()
    await child.stop()
    assert not Path(f"/proc/{child.pid}").exists()
    assert time.monotonic() - began < 10
