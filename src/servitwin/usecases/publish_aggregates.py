"""Values of groups as observations of the group twins: through the bus into history, exactly once each."""

from __future__ import annotations

import logging
from collections import deque

import msgspec

from servitwin.domain.error import UnavailableError
from servitwin.domain.observation import Quality
from servitwin.usecases.aggregate import Aggregates, GroupValue
from servitwin.usecases.live_mirror import LiveMessage, LiveValue
from servitwin.usecases.ports import Bus
from servitwin.usecases.registry import Registry

log = logging.getLogger("servitwin.aggregates")

COVERAGE = "_coverage."  # live signal "_coverage.power": text "3/5", machines that count of machines there are
MOST_WAITING = 20_000  # payloads kept while the bus refuses them; the oldest are given up beyond
_QUALITIES = {Quality.GOOD: "good", Quality.UNCERTAIN: "uncertain", Quality.BAD: "bad"}
_encode = msgspec.json.Encoder().encode


class _Waiting(msgspec.Struct, frozen=True):
    subject: str
    payload: bytes
    message_id: str


class PublishAggregates:
    """Feeds live values to :class:`Aggregates` and publishes what comes out.

    ``session`` is new for each start of the process, so that counts of two starts are not taken for each other.
    A payload that the bus refuses is sent again with the same message id: it counts once.
    """

    def __init__(self, registry: Registry, bus: Bus, session: str) -> None:
        self._registry = registry
        self._bus = bus
        self._session = session
        self._aggregates = Aggregates(registry)
        self._waiting: deque[_Waiting] = deque()
        self._seq = 0
        self.given_up = 0

    def heard(self, message: LiveMessage) -> None:
        """Take changed values of a twin."""
        self._aggregates.heard(message.uid, message.values)

    def rebuild(self) -> None:
        """After the registry was reloaded."""
        self._aggregates.rebuild()

    async def publish(self, now: int) -> int:
        """Compute what is due at ``now`` (ns UTC) and publish it with its coverage; how many payloads went out.

        Call it several times a second, never twice at once. What cannot be stored now waits for the next call.
        """
        for (uid, time, quality), values in _together(self._aggregates.due(now)).items():
            twin = self._registry.by_uid(uid)
            if twin is None:
                continue
            self._wait(twin.id, time, quality, values)
            shown: dict[str, LiveValue] = {
                COVERAGE + v.name: (time, f"{v.fresh}/{v.of}", int(Quality.GOOD), now) for v in values
            }
            if self._aggregates.is_newest(time):
                await self._bus.publish(f"live.{twin.id}", _encode(LiveMessage(twin.id, uid, shown)))
        return await self._send()

    def _wait(self, id: str, time: int, quality: Quality, values: list[GroupValue]) -> None:
        self._seq += 1
        body = {
            "time": time,
            "values": {v.name: v.value for v in values},
            "session": self._session,
            "seq": self._seq,
            "quality": _QUALITIES[quality],
        }
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.given_up += 1
        self._waiting.append(_Waiting(f"in.{id}.observations", _encode(body), f"{self._session}-{self._seq}"))

    async def _send(self) -> int:
        sent = 0
        while self._waiting:
            first = self._waiting[0]
            try:
                await self._bus.publish_acknowledged(first.subject, first.payload, first.message_id)
            except UnavailableError as e:
                log.info("%d values of groups wait: %s", len(self._waiting), e)
                break
            self._waiting.popleft()
            sent += 1
        return sent


def _together(values: list[GroupValue]) -> dict[tuple[str, int, Quality], list[GroupValue]]:
    found: dict[tuple[str, int, Quality], list[GroupValue]] = {}
    for value in values:
        found.setdefault((value.uid, value.time, value.quality), []).append(value)
    return found
