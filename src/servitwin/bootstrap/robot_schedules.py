"""Robots follow published plans: looked after in the event loop of the services process."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from servitwin.domain.error import ServitwinError
from servitwin.usecases.tell_robots import TellRobots

log = logging.getLogger("servitwin.robots")
EVERY_S = 2.0


async def follow_plans(tell: TellRobots, stop: asyncio.Event) -> None:
    """Until ``stop`` is set."""
    while not stop.is_set():
        try:
            await tell.round()
        except ServitwinError as e:
            log.warning("robots were not told of a plan: %s", e)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_S)
