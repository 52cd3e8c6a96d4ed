"""Service load_spectrum: counts the loads of a hoist and says how much of its design life is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.load_spectrum import WARN_SHARE, Before, Design, UsedLife, brake_used, hoist_used
from servitwin.domain.spectrum_recorder import Recorder, RecorderState, by_day
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters; see README.md."""

    load: str
    motion: str
    rated_load: float
    component: str = "hoist"
    brake: str = "brake"
    group: str = "M5"
    full_load_hours: float | None = None
    full_load_stops: float = 1_000_000.0
    years: float = 10.0
    before: Before = Before()
    warn: float = WARN_SHARE

    @property
    def design(self) -> Design:
        """What the hoist was built for."""
        return Design(self.rated_load, self.group, self.full_load_hours, self.full_load_stops, self.years)


class Memory(msgspec.Struct):
    """What is kept between steps: the recorder, and the components whose warning has been sent."""

    recorder: RecorderState = msgspec.field(default_factory=RecorderState)
    warned: list[str] = []


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    try:
        wanted = msgspec.convert(dict(parameters), Wanted)
    except msgspec.ValidationError as e:
        hint = "Give load, motion and rated_load; README.md tells what else there is"
        return [Fault("spectrum:parameters", str(e), hint, "parameters")]
    faults = wanted.design.faults()
    if wanted.before.years < 0 or (wanted.before.running_h or 0) < 0 or (wanted.before.stops or 0) < 0:
        faults.append(Fault("spectrum:before", "The use before is below zero", "Give what is known of it", "before"))
    return faults


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.msgpack.decode(snapshot, type=Memory) if snapshot else Memory()
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Counts, and says what is left at each full hour in which the hoist ran."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        self._wanted, self._memory = msgspec.convert(dict(parameters), Wanted), memory
        gaps = {s.name: s.reporting.max_gap for s in view.type.signals} if view.type else {}
        holds = gaps.get(self._wanted.load), gaps.get(self._wanted.motion)
        self._recorder = Recorder(self._wanted.rated_load, holds, memory.recorder)

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """What is used and left at each full hour up to the watermark."""
        outcome, w = Outcome(), self._wanted
        seen = batch.observations
        ran = self._memory.recorder.told
        for time, state in self._recorder.take(seen.get(w.load, ()), seen.get(w.motion, ()), watermark):
            hoist = hoist_used(w.design, state.spectrum, w.before, by_day(state, 0))
            brake = brake_used(w.design, state.spectrum, w.before, by_day(state, 1))
            parts = {w.component: hoist, w.brake: brake} if w.brake else {w.component: hoist}
            told = {name: _told(used) for name, used in parts.items()}
            outcome.results.append({"load_spectrum": {"time": time, "counted": _counted(state), "components": told}})
            for name, used in parts.items():
                if used.remaining <= w.warn and name not in self._memory.warned:
                    self._memory.warned.append(name)
                    crossed = {"component": name, "time": time, "warn": w.warn, **told[name]}
                    outcome.results.append({"load_spectrum_crossed": crossed})
            outcome.usage["machine_hours"] = outcome.usage.get("machine_hours", 0.0) + state.spectrum.running_h - ran
            ran = state.spectrum.running_h
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.msgpack.encode(self._memory)


def _counted(state: RecorderState) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(state.spectrum)
    factor = state.spectrum.factor
    return _short({**told, "factor": factor, "unknown_h": state.unknown_h})


def _told(used: UsedLife) -> dict[str, Any]:
    return _short({**msgspec.to_builtins(used), "what_to_do": _advice(used)})


def _advice(used: UsedLife) -> str:
    left = f"{100 * used.remaining:.0f} % of the design life are left."
    if used.over:
        return "The design life is used up: a general overhaul is due before it goes on."
    if used.assumed > used.recorded:
        left += " The time that nobody recorded counts as the design foresaw it, and half as much again."
    if used.days_low is None:
        return f"{left} How fast they go is known after two whole days of use."
    return (
        f"{left} At the present use they last {used.days_low / 365.25:.1f} years at least: plan the overhaul by then."
    )


def _short(value: dict[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in value.items()}
