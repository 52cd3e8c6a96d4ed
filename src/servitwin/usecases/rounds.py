"""Work that waits in the records: a process of its own does one piece after the other, and ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from servitwin.domain.error import ServitwinError

log = logging.getLogger("servitwin.controllers")


class Rounds:
    """Starts the process while something waits, never two at once.

    Args:
        start: runs the process to its end; it does one piece of the work.
        waits: whether a piece of work waits.
        close_interrupted: tells every piece that is still said to run as failed; how many there were.
        longest: seconds after which the process is ended.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[bytes]],
        waits: Callable[[], bool],
        close_interrupted: Callable[[], int],
        longest: float,
    ) -> None:
        self._start = start
        self._waits = waits
        self._close_interrupted = close_interrupted
        self._longest = longest
        self._running: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """See to it that what waits is done; returns at once."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._go())

    async def stop(self) -> None:
        """End the process that runs; its work is told as interrupted when the next one begins."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _go(self) -> None:
        await asyncio.to_thread(self._close_interrupted)
        while await asyncio.to_thread(self._waits):
            try:
                await asyncio.wait_for(self._start(), self._longest)
            except (ServitwinError, TimeoutError, OSError) as e:
                log.warning("work on a controller did not end: %s", e)
                if not await asyncio.to_thread(self._close_interrupted):
                    return  # the process cannot even begin: what waits is tried again with the next question
