"""Services at their own pace: one that waits for a partner's process keeps no other waiting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from servitwin.domain.error import ServitwinError
from servitwin.usecases.run_service import RunServices

log = logging.getLogger("servitwin.services")
EVERY_S = 5.0
_MOST = 64  # lanes at work at once; a thread is made only when there is none to spare


class ServiceLanes:
    """Advances every lane again ``every_s`` seconds after it was looked at, unless it is still busy (decision 0064)."""

    def __init__(self, services: RunServices, every_s: float = EVERY_S) -> None:
        self._services, self._every_s = services, every_s

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set and what is under way has ended."""
        busy: dict[str, asyncio.Task[None]] = {}
        # Not the loop's own threads: partners that hang must not use up those that answer questions.
        with ThreadPoolExecutor(_MOST, "lane") as threads:
            while not stop.is_set():
                for lane in await self._lanes():
                    if lane not in busy or busy[lane].done():
                        busy[lane] = asyncio.create_task(self._advance(threads, lane))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every_s)
            await asyncio.gather(*busy.values())

    async def _lanes(self) -> set[str]:
        try:
            return await asyncio.to_thread(self._services.lanes)
        except ServitwinError as e:
            log.info("services wait: %s", e)
            return set()

    async def _advance(self, threads: ThreadPoolExecutor, lane: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(threads, self._services.advance, time.time_ns(), lane)
        except ServitwinError as e:
            log.info("services wait: %s", e)
