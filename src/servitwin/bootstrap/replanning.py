"""What production needs without being asked: new plans, and a word on overdue deliveries; by who has the jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from servitwin.domain.error import ServitwinError
from servitwin.domain.instant import MINUTE
from servitwin.usecases.replan_production import ReplanProduction
from servitwin.web.api.parts import WebParts
from servitwin.web.api.schedules import Desk

log = logging.getLogger("servitwin.schedule")
EVERY_S = 1.0
REST = MINUTE
"""So long a party whose plan could not be looked at is left alone."""


async def replan_forever(parts: WebParts) -> None:
    """Look every second whether something has changed, each minute whether a delivery is overdue; until cancelled."""
    watch = Watch(parts)
    while True:
        await asyncio.sleep(EVERY_S)
        desk = Desk(parts)
        try:
            await asyncio.to_thread(watch.round, desk)
        except Exception as e:  # the next look may be better: whatever it is must not end all looks
            log.exception("nobody's plan could be looked at: %s", e)
        for subject, payload in desk.told:  # what was asked for before a fault as well
            await parts.bus.publish(subject, payload)
        if desk.told:
            parts.working.wake()


class Watch:
    """Looks at each party by itself: what is wrong with one keeps no other waiting."""

    def __init__(self, parts: WebParts) -> None:
        self._parts, self._replanning = parts, ReplanProduction(parts.records, parts.now)
        self._began = parts.now()
        self._told_until: dict[str, int] = {}  # by party, up to when overdue deliveries were told of
        self._rests: dict[tuple[str, str], int] = {}  # until when a party's plan or deliveries are left alone

    def round(self, desk: Desk) -> None:
        """One look."""
        for wish in self._replanning.wishes():
            look = partial(self._replanning.look, wish, desk.plans, desk.states, desk.tell)
            self._try("plan", wish.party, look)
        for party in self._parts.records.parties():
            self._try("deliveries", party.id, partial(self._tell_overdue, desk, party.id))

    def _tell_overdue(self, desk: Desk, party: str) -> None:
        since, until = self._told_until.get(party, self._began), self._parts.now()
        if until - since >= MINUTE:
            desk.keep_deliveries.tell_overdue(party, since, until)
            self._told_until[party] = until

    def _try(self, what: str, party: str, look: Callable[[], object]) -> None:
        if self._parts.now() < self._rests.get((what, party), 0):
            return
        try:
            look()
        except ServitwinError as e:
            log.warning("%s of %s could not be looked at: %s", what, party, e)
        except Exception as e:  # what one party's entries bring must not end the looks at the others
            log.exception("%s of %s could not be looked at: %s", what, party, e)
        else:
            return
        self._rests[what, party] = self._parts.now() + REST
