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


class LearntModel(msgspec.Struct, frozen=True):
    """An artefact in use: its address, which a result names, and its bytes."""

    digest: str
    content: bytes


class TwinView(msgspec.Struct, frozen=True):
    """What a service gets to know about the twin it works on.

    ``shifts`` are those that touch the step. ``twin.calendar`` names the calendar that holds for the twin (its own or
    inherited); without it and without shifts planned time is not known. ``artefacts`` are those in use, of the trainers
    that the service's manifest names; a trainer without one is left out. ``changes``: when the machine was rightly
    changed, in order of time, some of them perhaps before or after the step: whoever has learnt how it is begins anew
    at each. One that becomes known late has the steps since then made again.
    """

    twin: Twin
    type: MachineType | None
    gaps: tuple[Gap, ...] = ()
    shifts: tuple[ShiftInterval, ...] = ()
    artefacts: dict[str, LearntModel] = {}
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
    """A plan with its worth and the bound on what any plan could be worth; which is better the planner decides."""

    value: float
    bound: float
    plan: dict[str, Any]


@runtime_checkable
class PlannerPlugin(Protocol):
    """Module with ``kind = "planner"``: an anytime solver. Its manifest says how much memory it may use."""

    def check(self, problem: Mapping[str, Any]) -> Sequence[Fault]:
        """All faults of a problem at once; what has faults is not solved."""
        ...

    def solve(self, problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
        """Better and better plans until the budget (ns) is used or ``cancel()`` is true.

        Raises:
            InvalidInputError: there is no plan at all, with the reasons.
        """
        ...


@runtime_checkable
class TrainerPlugin(Protocol):
    """Module with ``kind = "trainer"``."""

    def check(self, dataset: Mapping[str, Any]) -> Sequence[Fault]:
        """All faults of a data set at once; what has faults is not learnt from."""
        ...

    def fit(self, dataset: Mapping[str, Any], seed: int) -> bytes:
        """An artefact; the same data and seed give the same bytes."""
        ...

    def describe(self, artefact: bytes) -> dict[str, Any]:
        """What an artefact was trained on and how good it is on machines kept out, as plain data.

        ``score`` (a number, larger is better) decides whether it replaces the one in use.
        """
        ...
