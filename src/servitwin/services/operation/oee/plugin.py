"""Service oee: OEE and its losses for each window of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.availability import state_totals
from servitwin.domain.calendar_shift import planned_spans
from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR, NS
from servitwin.domain.machine_type import MachineType, Production
from servitwin.domain.observation import Observation, Series
from servitwin.domain.oee import PartSums, countable_time, oee_of, terms_of, unknown_time
from servitwin.domain.oee_counter import Parts, is_count, parts_of
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_follow import Followed, StateFollower, by_window
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import series_of
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView
from servitwin.services.operation.parameter import check_parameters, every_of, start_of


class Memory(msgspec.Struct):
    """What is kept between steps: what rules and counters still need, and the sums of the window that goes on."""

    followed: Followed
    rows: dict[str, list[Observation]] = {}
    covered: int = 0
    in_state: dict[State, int] = {}
    sums: PartSums = msgspec.field(default_factory=PartSums)
    unknown: list[tuple[int, int]] = []


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    return check_parameters("oee", parameters, ("every", "from"))


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.json.decode(snapshot, type=Memory) if snapshot else Memory(Followed())
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Sums time and parts of the current window and gives its figures once it is over.

    It stays one nanosecond behind the watermark: a part reported at an instant was made just before it, so the last
    nanosecond is certain only when the next instant is.
    """

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        self._memory, self._shifts, self._every = memory, view.shifts, every_of(parameters)
        self._type = view.type if view.type is not None and view.type.states is not None else None
        self._planned = bool(view.shifts or view.twin.calendar)  # a closed week has a calendar and no shift
        start = start_of(parameters)
        self._follower = StateFollower(self._type, view.gaps, memory.followed, start) if self._type else None
        self._production = (self._type.production if self._type else None) or Production()

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """Figures of the windows that ended before the watermark."""
        if self._follower is None or self._type is None:
            return Outcome()
        for name in _counted(self._production):
            if batch.observations.get(name):
                self._memory.rows[name] = [*self._memory.rows.get(name, ()), *batch.observations[name]]
        intervals = self._follower.advance(batch.observations, watermark - 1)
        parts = parts_of(self._production, _series(self._type, self._memory.rows))
        outcome = Outcome()
        for window, inside in by_window(intervals, self._every):
            self._add(window, inside, parts)
            if inside[-1].end == window + self._every:
                outcome.results.append(self._figures(window, parts))
        if intervals:
            outcome.usage["machine_hours"] = (intervals[-1].end - intervals[0].start) / HOUR
            self._forget(watermark)
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.json.encode(self._memory)

    def _add(self, window: int, inside: list[StateInterval], parts: Parts) -> None:
        m = self._memory
        here = Spans.of([(inside[0].start, inside[-1].end)])
        if self._planned:
            here = here.meet(planned_spans(self._shifts, window, window + self._every))
        for state, ns in state_totals(inside, here).items():
            m.in_state[state] = m.in_state.get(state, 0) + ns
        m.covered += inside[-1].end - inside[0].start
        m.unknown = Spans.of([*m.unknown, *unknown_time(inside).pairs()]).pairs()
        m.sums.add(parts, countable_time(inside, here), Spans.of(m.unknown))

    def _figures(self, window: int, parts: Parts) -> dict[str, Any]:
        m = self._memory
        cycles: Mapping[str, float] = self._production.ideal_cycle_s
        terms = terms_of(m.covered, m.in_state, m.sums, parts, cycles, planned=self._planned)
        figures = oee_of(terms)
        m.covered, m.in_state, m.sums, m.unknown = 0, {}, PartSums(), []
        result: dict[str, Any] = {
            "from": window,
            "to": window + self._every,
            "called": figures.called,
            "oee": figures.oee,
            "availability": figures.availability,
            "performance": figures.performance,
            "quality": figures.quality,
            "losses": [{"name": x.name, "seconds": x.duration / NS, "share": x.share} for x in figures.losses],
            "made": terms.made,
            "good": terms.good,
            "assumed": list(figures.assumed),
            "flags": list(figures.flags),
        }
        return {"oee": {**result, "reason": figures.reason} if figures.reason else result}

    def _forget(self, watermark: int) -> None:
        """Keep of each counter the last count, and of the product the last name."""
        for name, rows in self._memory.rows.items():
            ordered = sorted(rows, key=lambda o: (o.time, o.shard, o.seq, o.idx))
            held = {o.time: o for o in ordered if o.time < watermark}  # of one time the last observation holds
            counts = [o for o in held.values() if name == self._production.product or is_count(o)]
            self._memory.rows[name] = [*counts[-1:], *(o for o in ordered if o.time >= watermark)]


def _counted(production: Production) -> list[str]:
    return [n for n in (production.total, production.good, production.scrap, production.product) if n]


def _series(machine_type: MachineType, rows: Mapping[str, list[Observation]]) -> dict[str, Series]:
    definitions = {s.name: s for s in machine_type.signals}
    return {name: series_of(own, definitions[name]) for name, own in rows.items() if name in definitions}
