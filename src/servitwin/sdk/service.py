"""Services: what is sold. Three kinds: evaluators, planners and trainers. No price, storage or clock in a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from servitwin.domain.calendar import ShiftInterval
from servitwin.domain.error import Fault
from servitwin.domain.machine_change import MachineChange
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Cut, Observation
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin
from servitwin.sdk.finding import ServiceFinding

Parameters = Mapping[str, Any]


class TwinView(msgspec.Struct, frozen=True):
    """What a service gets to know about the twin it works on.

    ``shifts`` are those that touch the step. ``twin.calendar`` names the calendar that holds for the twin (its own or
    inherited); without it and without shifts planned time is not known. ``changes``: when the machine was rightly
    changed, in order of time, some of them perhaps before or after the step: whoever has learnt how it is begins anew
    at each. One that becomes known late has the steps since then made again.
    """

    twin: Twin
    type: MachineType | None
    gaps: tuple[Gap, ...] = ()
    shifts: tuple[ShiftInterval, ...] = ()
    changes: tuple[MachineChange, ...] = ()


class ServiceBatch(msgspec.Struct):
    """Observations of one twin in order of (time, shard, seq, idx), per signal, and how complete they are."""

    observations: dict[str, list[Observation]]


class Outcome(msgspec.Struct, omit_defaults=True):
    """What a step brought: results are plain data keyed by name, findings become cases, usage is metered.

    The node adds ``cut``, and ``changes``: ids of the machine's changes that the service was told of.
    """

    results: list[dict[str, Any]] = []
    findings: list[ServiceFinding] = []
    usage: dict[str, float] = {}
    cut: Cut = {}
    changes: tuple[str, ...] = ()


@runtime_checkable
class Evaluator(Protocol):
    """Incremental: any split of the same data into steps gives identical outcomes."""

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """Take observations up to ``watermark`` (ns UTC, nothing earlier follows) and say what became certain."""
        ...

    def snapshot(self) -> bytes:
        """All that is needed to go on later, elsewhere, from here."""
        ...


@runtime_checkable
class EvaluatorPlugin(Protocol):
    """Module behind an entry point of group ``servitwin.services`` with ``kind = "evaluator"``."""

    def check(self, parameters: Parameters) -> Sequence[Fault]:
        """All faults of the parameters at once."""
        ...

    def open(self, view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
        """An evaluator at its start, or where the snapshot was taken."""
        ...


class Plan(msgspec.Struct, omit_defaults=True):
    """A plan with its worth and the bound on what any plan could be worth."""

    value: float
    bound: float
    plan: dict[str, Any]


@runtime_checkable
class PlannerPlugin(Protocol):
    """Module with ``kind = "planner"``: an anytime solver."""

    def solve(self, problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
        """Better and better plans until the budget (ns) is used or ``cancel()`` is true."""
        ...


@runtime_checkable
class TrainerPlugin(Protocol):
    """Module with ``kind = "trainer"``."""

    def fit(self, dataset: Mapping[str, Any], seed: int) -> bytes:
        """An artefact; the same data and seed give the same bytes."""
        ...
