"""Starts a round of upkeep every few minutes, never two at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec

from servitwin.bootstrap.short_worker import ask_worker
from servitwin.config import Settings
from servitwin.domain.error import UnavailableError

log = logging.getLogger("servitwin.upkeep")
_FIRST_AFTER_S = 30.0


class HistoryUpkeep:
    """``status`` says when the last round ended and what it did, for the health page.

    ``tell`` gets what a round did, as JSON: whoever commits may make larger files where many small ones are left.
    """

    def __init__(self, settings: Settings, tell: Callable[[bytes], None]) -> None:
        self._settings, self._tell = settings, tell
        self.status: dict[str, Any] = {"ended": None, "failed": ""}

    async def run(self, stop: asyncio.Event) -> None:
        """Rounds until ``stop`` is set; a round that is under way then is ended: it leaves all or nothing."""
        wait = _FIRST_AFTER_S
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            if stop.is_set():
                return
            await self._round(stop)
            wait = self._settings.upkeep_minutes * 60

    async def _round(self, stop: asyncio.Event) -> None:
        began = time.monotonic()
        asking = asyncio.create_task(ask_worker("upkeep", self._settings))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not asking.done():
            asking.cancel()
        try:
            said = await asking
            self._tell(said)
            done = msgspec.json.decode(said)
            self.status = {**done, "ended": time.time_ns(), "seconds": round(time.monotonic() - began, 1), "failed": ""}
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
        except UnavailableError as e:
            log.warning("a round of upkeep failed, the next one takes up its work: %s", e)
            self.status["failed"] = str(e)
