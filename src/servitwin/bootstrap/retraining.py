"""Models of remaining life and of failures are trained again by themselves, through the same door as anybody else."""

from __future__ import annotations

import asyncio
import logging

from servitwin.domain.error import ServitwinError
from servitwin.web.api.failure_models import failure_training
from servitwin.web.api.parts import WebParts
from servitwin.web.api.remaining_life import life_training

log = logging.getLogger("servitwin.services")
EVERY_S = 60.0


async def retrain_forever(parts: WebParts) -> None:
    """Look once a minute whether a training is due, and ask for it; until cancelled."""
    due = (life_training(parts).due, failure_training(parts).due)
    while True:
        await asyncio.sleep(EVERY_S)
        for ask in due:
            try:
                asked = await asyncio.to_thread(ask, parts.now())
            except ServitwinError as e:
                log.info("no training: %s", e)
                continue
            except Exception:  # what one history or one file brings must not end the trainings of all others
                log.exception("whether a training is due could not be told")
                continue
            for job in asked:
                log.info("training asked for: %s", job.about)
            if asked:
                parts.working.wake()
