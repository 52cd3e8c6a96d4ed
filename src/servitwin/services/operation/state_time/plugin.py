"""Service state_time: state intervals of one machine, each as soon as its end is certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR
from servitwin.domain.state_time import StateInterval, join
from servitwin.domain.state_time_follow import Followed, StateFollower
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView
from servitwin.services.operation.parameter import check_parameters, start_of


class Memory(msgspec.Struct):
    """What is kept between steps: what the rules still need, and the interval that goes on."""

    followed: Followed
    going_on: StateInterval | None = None


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    return check_parameters("state_time", parameters, ("from",))


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.json.decode(snapshot, type=Memory) if snapshot else Memory(Followed())
    return Evaluator(view, memory, start_of(parameters))


class Evaluator:
    """Follows the states of one machine and gives every interval once, when it is over."""

    def __init__(self, view: TwinView, memory: Memory, start: int | None) -> None:
        self._memory = memory
        has_states = view.type is not None and view.type.states is not None
        self._follower = (
            StateFollower(view.type, view.gaps, memory.followed, start) if has_states and view.type else None
        )

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """Intervals that ended before the watermark."""
        if self._follower is None:
            return Outcome()
        new = self._follower.advance(batch.observations, watermark)
        going_on = self._memory.going_on
        intervals = join([[going_on] if going_on else [], new])
        if not intervals:
            return Outcome()
        self._memory.going_on = intervals[-1]
        covered = sum(i.duration for i in new)
        return Outcome([_result(i) for i in intervals[:-1]], usage={"machine_hours": covered / HOUR})

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.json.encode(self._memory)


def _result(i: StateInterval) -> dict[str, Any]:
    fields = {"state": i.state.value, "cause": i.cause, "party": i.party, "word": i.word, "reason": i.reason}
    return {"state_interval": {"from": i.start, "to": i.end, **fields}}
