"""Service availability: a figure by a named formula for each window of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.availability import FORMULAS, availability, state_totals
from servitwin.domain.calendar_shift import planned_spans
from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR, NS
from servitwin.domain.state_time import State
from servitwin.domain.state_time_follow import Followed, StateFollower, by_window
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView
from servitwin.services.operation.parameter import check_parameters, every_of, start_of


class Memory(msgspec.Struct):
    """What is kept between steps: what the rules still need, and the sums of the window that goes on."""

    followed: Followed
    window: int | None = None
    in_state: dict[State, int] = {}


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    faults = check_parameters("availability", parameters, ("formula", "every", "from"))
    name = parameters.get("formula", "iso22400@1")
    if name not in FORMULAS:
        faults.append(
            Fault("formula:unknown", f"There is no formula {name!r}", f"One of {', '.join(FORMULAS)}", "formula")
        )
    return faults


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.json.decode(snapshot, type=Memory) if snapshot else Memory(Followed())
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Sums the states of the current window and gives each window's figure once it is over."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        self._memory, self._shifts = memory, view.shifts
        self._formula = str(parameters.get("formula", "iso22400@1"))
        self._every = every_of(parameters)
        has_states = view.type is not None and view.type.states is not None
        self._planned = bool(view.shifts or view.twin.calendar)  # a closed week has a calendar and no shift
        start = start_of(parameters)
        self._follower = (
            StateFollower(view.type, view.gaps, memory.followed, start) if has_states and view.type else None
        )

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """Figures of the windows that ended by the watermark."""
        if self._follower is None:
            return Outcome()
        m = self._memory
        outcome = Outcome()
        intervals = self._follower.advance(batch.observations, watermark)
        for window, inside in by_window(intervals, self._every):
            m.window = window
            planned = planned_spans(self._shifts, window, window + self._every) if self._planned else None
            for state, ns in state_totals(inside, planned).items():
                m.in_state[state] = m.in_state.get(state, 0) + ns
            if inside[-1].end == window + self._every:
                outcome.results.append(self._figure(window))
                m.window, m.in_state = None, {}
        if intervals:
            outcome.usage["machine_hours"] = (intervals[-1].end - intervals[0].start) / HOUR
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.json.encode(self._memory)

    def _figure(self, window: int) -> dict[str, Any]:
        figure = availability(self._formula, self._memory.in_state)
        result: dict[str, Any] = {
            "from": window,
            "to": window + self._every,
            "formula": figure.formula,
            "value": figure.value,
            "numerator_s": figure.numerator / NS,
            "denominator_s": figure.denominator / NS,
            "unknown_s": figure.unknown / NS,
            "terms": {name: ns / NS for name, ns in figure.terms.items()},
            "assumed": [] if self._planned else ["No calendar: all calendar time counts as planned"],
        }
        return {"availability": {**result, "reason": figure.reason} if figure.reason else result}
