"""Service failure_watch: each day the chance of each component to fail within the coming days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.day_events import DayEvents, DayState
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_events import MachineEvents, day_means
from servitwin.domain.failure_horizon import HorizonModel, read_horizon_book
from servitwin.domain.instant import DAY
from servitwin.domain.machine_change import parts_replaced
from servitwin.domain.observation import Floats
from servitwin.domain.watched_failures import Watched, watched_faults
from servitwin.sdk.service import LearntModel, Outcome, Parameters, ServiceBatch, TwinView

TRAINER = "failure_horizon"
FEWEST_DAYS = 3
BEYOND = 0.25  # of the range of the machines learnt from: as far outside it may be


class Memory(msgspec.Struct):
    """What is kept between steps.

    Attributes:
        days: whole days and the open one; alarms: end (ns) of the day of the last alarm of each component.
        model: address of the artefact that was in use.
    """

    days: DayState = msgspec.field(default_factory=DayState)
    alarms: dict[str, int] = {}
    model: str = ""


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    return watched_faults(parameters)


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.msgpack.decode(snapshot, type=Memory) if snapshot else Memory()
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Gathers days; speaks at the end of each."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        self._wanted, self._memory = msgspec.convert(dict(parameters), Watched), memory
        self._type = view.type.name if view.type else ""
        self._days = DayEvents(list(self._wanted.means.values()), self._wanted.events, memory.days)
        learnt = view.artefacts.get(TRAINER)
        self._digest = learnt.digest if learnt is not None else ""
        self._repairs = parts_replaced(view.changes)
        self._model, self._why = _model_of(self._type, learnt)

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """The chances at the end of each day that is over by the watermark."""
        outcome = Outcome()
        if self._digest != self._memory.model and self._memory.days.ended:
            self._say(outcome, self._memory.days.ended * DAY)  # another model speaks at once, of the last whole day
        self._memory.model = self._digest
        for end in self._days.take(batch.observations, watermark):
            self._say(outcome, end)
            outcome.usage["machine_days"] = outcome.usage.get("machine_days", 0.0) + 1
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.msgpack.encode(self._memory)

    def _say(self, outcome: Outcome, end: int) -> None:
        told, crossed = self._told(end)
        outcome.results.append({"failure_chance": told})
        outcome.results += [{"failure_chance_crossed": one} for one in crossed]

    def _told(self, end: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        doubts = self._doubts()
        told: dict[str, Any] = {"time": end, "model": self._digest, "known": not doubts}
        if doubts or self._model is None:
            return {**told, "doubts": [msgspec.to_builtins(d) for d in doubts], "components": {}}, []
        model, machine = self._model, self._machine(self._model)
        components, crossed = {}, []
        for name, chances in model.chances(machine).items():
            chance, limit = float(f"{chances[-1]:.4g}"), model.threshold[name]
            alarm = chance >= limit
            why = model.reasons(machine, name) if alarm else []
            one = {"chance": chance, "threshold": float(f"{limit:.4g}"), "alarm": alarm, "reasons": why}
            components[name] = {**one, "what_to_do": _advice(name, chance, model, alarm)}
            last = self._memory.alarms.get(name)
            if alarm and (last is None or end - last >= model.horizon * DAY):
                self._memory.alarms[name] = end
                crossed.append({"component": name, "time": end, "horizon_days": model.horizon, **components[name]})
        return {**told, "doubts": [], "horizon_days": model.horizon, "components": components}, crossed

    def _machine(self, model: HorizonModel) -> MachineEvents:
        names = [self._wanted.means.get(n, "") for n in model.signals]
        seen = self._days.machine(names, model.errors, model.components, self._repairs)
        return msgspec.structs.replace(seen, facts=self._wanted.facts)

    def _doubts(self) -> list[Fault]:
        model = self._model
        if model is None:
            return [self._why]
        found = []
        missing = [n for n in model.signals if n not in self._wanted.means]
        missing += [n for n in model.errors if n not in self._wanted.errors]
        if missing:
            message = f"The model looks at {', '.join(missing)}, which this machine does not name"
            found.append(Fault("failure-watch:not-named", message, "Name them in the parameters", missing[0]))
        if len(self._memory.days.means) < FEWEST_DAYS:
            message = f"{len(self._memory.days.means)} whole days were seen, {FEWEST_DAYS} are needed"
            found.append(Fault("failure-watch:too-little-seen", message, "Wait until more days have been seen", "days"))
        elif all(v is None for v in self._memory.days.means[-1]) and model.signals:
            message = "Nothing was measured in the last day"
            found.append(Fault("failure-watch:silent", message, "Look at the connection of the machine", "days"))
        elif not missing:
            found += _odd_signals(model, day_means(self._machine(model), len(model.signals)))
        return found


def _model_of(machine_type: str, learnt: LearntModel | None) -> tuple[HorizonModel | None, Fault]:
    """The model of machines of that type; where there is none, why."""
    name = machine_type or "machine of unknown type"
    hint = "Train failure_horizon on machines of this type"
    why = Fault("failure-watch:no-model", f"No model of failures of a {name} is in use", hint)
    if learnt is None:
        return None, why
    try:
        models = read_horizon_book(learnt.content).models
    except InvalidInputError as e:  # of a version that is read no more
        return None, e.fault
    if models and machine_type not in models:
        message = f"Models were learnt of {', '.join(sorted(models))}, this is a {name}"
        why = Fault("failure-watch:type-unknown", message, "Train a model for this type", "machine_type")
    return models.get(machine_type), why


def _odd_signals(model: HorizonModel, means: Floats) -> list[Fault]:
    """Signals that are where no machine learnt from was, or stand still as none did, at the end of the last day."""
    found = []
    for name, series, (low, high), still in zip(model.signals, means.T, model.bounds, model.still, strict=True):
        known = series[~np.isnan(series)]
        if not len(known) or np.isnan(series[-1]):
            message = f"{name!r} was not measured in the last day"
            found.append(Fault("failure-watch:signal-missing", message, "Look at the sensor and its connection", name))
            continue
        last = float(known[-1])
        if not low - BEYOND * (high - low) <= last <= high + BEYOND * (high - low):
            message = f"{name!r} was {last:.4g} in the last day, machines learnt from were between {low:.4g} and "
            hint = "Look at the sensor and its unit; if it is right, no machine was like this one"
            found.append(Fault("failure-watch:signal-outside", f"{message}{high:.4g}", hint, name))
        run = len(known) - int(np.flatnonzero(known != last)[-1] + 1) if (known != last).any() else len(known)
        if run > max(2, still):
            message = f"{name!r} had exactly the same mean on the last {run} days, elsewhere on {still} at most"
            found.append(Fault("failure-watch:sensor-stuck", message, "Look at the sensor: it may be stuck", name))
    return found


def _advice(name: str, chance: float, model: HorizonModel, alarm: bool) -> str:
    if alarm:
        return f"Replace {name} within {model.horizon} days: it fails with a chance of {100 * chance:.0f} %."
    return f"Nothing to do: the chance of a failure within {model.horizon} days is {100 * chance:.1f} %."
