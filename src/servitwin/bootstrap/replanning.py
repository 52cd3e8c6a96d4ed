"""New production plans are asked for by themselves, by the process that has the jobs."""

from __future__ import annotations

import asyncio
import logging

from servitwin.domain.error import ServitwinError
from servitwin.usecases.replan_production import ReplanProduction
from servitwin.web.api.parts import WebParts
from servitwin.web.api.schedules import Desk

log = logging.getLogger("servitwin.schedule")
EVERY_S = 1.0


async def replan_forever(parts: WebParts) -> None:
    """Look every second whether something has changed; until cancelled."""
    replanning = ReplanProduction(parts.records, parts.now)
    while True:
        await asyncio.sleep(EVERY_S)
        desk = Desk(parts)
        try:
            await asyncio.to_thread(replanning.round, desk.plans, desk.states, desk.tell)
        except ServitwinError as e:
            log.warning("not everybody's plan could be looked at: %s", e)
        for subject, payload in desk.told:  # what was asked for before a fault as well
            await parts.bus.publish(subject, payload)
        if desk.told:
            parts.working.wake()
