"""Models of remaining life are trained again by themselves, through the same door as anybody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from servitwin.domain.error import ServitwinError
from servitwin.usecases.train_lives import TrainLives

log = logging.getLogger("servitwin.services")
EVERY_S = 60.0


async def retrain_forever(training: TrainLives, now: Callable[[], int], wake: Callable[[], None]) -> None:
    """Look once a minute whether a training is due, and ask for it; until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            asked = await asyncio.to_thread(training.due, now())
        except ServitwinError as e:
            log.info("no training of remaining life: %s", e)
            continue
        for job in asked:
            log.info("training of remaining life asked for: %s", job.about)
        if asked:
            wake()
