"""Published production plans become transports: each fleet that follows a plan is told what it wants moved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from servitwin.domain.error import UnavailableError
from servitwin.domain.fleet.scheduled import moves_of
from servitwin.domain.instant import NS
from servitwin.domain.schedule.master_data import KeptPlan
from servitwin.usecases.kept_plants import connections
from servitwin.usecases.plan_production import PUBLISHED
from servitwin.usecases.ports import Bus, Records

log = logging.getLogger("servitwin.robots")
AGAIN_NS = 60 * NS  # the same plan is told again: a master may have lost its notes, and parts may have to go on
_ASK_S = 5.0


class TellRobots:
    """Compares what was told with what holds, and tells what is new. One round at a time."""

    def __init__(self, records: Records, bus: Bus, now: Callable[[], int]) -> None:
        self._records, self._bus, self._now = records, bus, now
        self._told: dict[str, tuple[int, int]] = {}  # connection -> revision, when

    async def round(self) -> int:
        """Tell every fleet whose plan has changed, or that was not told for a minute; how many were told."""
        count = 0
        for connection in connections(self._records):
            schedule = connection.config.get("schedule")
            party = schedule.get("party") if isinstance(schedule, dict) else None
            entry = self._records.register_entry("production_plans", party, PUBLISHED) if party else None
            if entry is None or entry.removed:
                continue
            revision, at = self._told.get(connection.name, (0, 0))
            if revision == entry.revision and self._now() - at < AGAIN_NS:
                continue
            plan = msgspec.convert(entry.body, KeptPlan)
            moves = moves_of(plan.problem.orders, plan.placements)
            if await self._tell(connection.name, entry.revision, moves):
                self._told[connection.name] = entry.revision, self._now()
                count += 1
        return count

    async def _tell(self, connection: str, revision: int, moves: list[Any]) -> bool:
        message = {"do": "follow-schedule", "revision": revision, "moves": moves}
        try:
            said = await self._bus.request(f"plugin.{connection}.control", msgspec.json.encode(message), _ASK_S)
        except UnavailableError:
            return False  # its master is not there (yet): it is told in the next round
        answer = msgspec.json.decode(said)
        if "faults" in answer:
            log.warning("%s does not follow plan %d: %s", connection, revision, answer["faults"])
            return bool(answer["faults"][0].get("code") != "fleet:starting")
        return True
