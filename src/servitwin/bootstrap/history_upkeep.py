"""Starts a round of upkeep every few minutes, never two at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from typing import Any

import msgspec

from servitwin.config import Settings

log = logging.getLogger("servitwin.upkeep")
_FIRST_AFTER_S = 30.0


class HistoryUpkeep:
    """``status`` says when the last round ended and what it did, for the health page."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
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
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "servitwin.bootstrap",
            "worker",
            "upkeep",
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        talk = asyncio.create_task(process.communicate(msgspec.json.encode(self._settings)))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((talk, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not talk.done():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        said, _ = await talk
        if process.returncode == 0:
            done = msgspec.json.decode(said)
            self.status = {**done, "ended": time.time_ns(), "seconds": round(time.monotonic() - began, 1), "failed": ""}
        elif not stop.is_set():
            log.warning("a round of upkeep ended with %s; the next one takes up its work", process.returncode)
            self.status["failed"] = f"ended with {process.returncode}"
