"""Lines simulated: the model of a line kept, checked against its past, and changed in scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.domain.line_change import Scenario
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.twin import Twin
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.build_line_model import LONG_PAST, BuildLineModel, BuiltLine
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.machine_time import machines_below
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry

MODELS = "line-models"
SERVICE = "line_simulation"
_RUNS, _BUDGET_S = 39, 120.0  # 39 runs hold one more with 95 %


class Comparison(msgspec.Struct, frozen=True):
    """What is compared; see the README of the service. ``days`` simulated in each run, after ``warm_up_h`` hours."""

    scenarios: tuple[Scenario, ...]
    days: float = 30.0
    warm_up_h: float = 8.0
    half_width: float = 0.01
    most: int = 60
    worth_per_part: str = ""
    currency: str = ""
    seed: int = 1
    budget_s: float = 300.0


class SimulateLine:
    """Models and comparisons of lines, for one caller at a time."""

    def __init__(
        self, registry: Registry, authoriser: Authoriser, builder: BuildLineModel, registers: Registers, jobs: Jobs
    ) -> None:
        self._registry, self._authoriser = registry, authoriser
        self._builder, self._registers, self._jobs = builder, registers, jobs

    def build(
        self, actor: Actor, line: Twin, start: int, end: int, order: Sequence[str] = (), keep_back: float = 0.25
    ) -> tuple[RegisterEntry, BuiltLine, Job | None]:
        """Build the model of a line from [start, end) ns, keep it, and have it checked by the part kept back.

        Raises:
            RefusedError: a machine of the line that the caller may not read all that time.
            InvalidInputError: ``line:...``; ``line:keep-back``.
        """
        if not 0 <= keep_back <= 0.9:
            fault = Fault("line:keep-back", f"{keep_back} of the time is no part to keep back", "0 to 0.9", "keep_back")
            raise InvalidInputError(fault)
        machines = machines_below(self._registry, line, end)
        since = start
        for machine in machines:
            self._require_all(actor, machine, start, end)
        if all(self._reads_all(actor, m, end - LONG_PAST, end) for m in machines):
            since = end - LONG_PAST
        built = self._builder.build(line, start, end, order=order, keep_back=keep_back, failures_since=since)
        body = msgspec.to_builtins(built.model)
        entry = self._registers.put(actor, MODELS, line.id, body)
        return entry, built, self._validate(actor, built) if built.measured else None

    def model(self, actor: Actor, line: Twin) -> RegisterEntry:
        """The model of a line that is kept for the caller's company.

        Raises:
            NotFoundError: ``line:no-model``.
        """
        try:
            return self._registers.one(actor, MODELS, line.id)
        except NotFoundError:
            hint = f"POST /api/v1/lines/{line.id}/model builds it from history"
            raise NotFoundError(Fault("line:no-model", f"There is no model of {line.id} yet", hint, "twin")) from None

    def validation(self, actor: Actor, line: Twin) -> tuple[Job, Any] | None:
        """The newest check of a line's model against its past; None if there is none."""
        found = self._jobs.of(actor, SERVICE, validation_of(line.id), 1)
        return (found[0], self._jobs.result(found[0])) if found else None

    def compare(self, actor: Actor, line: Twin, asked: Comparison) -> Job:
        """Have scenarios compared; what is wrong with them is found by the job.

        Raises:
            NotFoundError: ``line:no-model``.
        """
        problem = {
            "do": "compare", "model": self.model(actor, line).body, "seconds": asked.days * 86400,
            "warm_up_s": asked.warm_up_h * 3600, "scenarios": msgspec.to_builtins(asked.scenarios),
            "half_width": asked.half_width, "most": asked.most, "worth_per_part": asked.worth_per_part,
            "currency": asked.currency,
        }  # fmt: skip
        return self._jobs.ask(
            SERVICE, problem, actor, budget_s=asked.budget_s, seed=asked.seed, about=comparison_of(line.id)
        )

    def _validate(self, actor: Actor, built: BuiltLine) -> Job:
        seconds = (built.until - built.end) / NS
        problem = {
            "do": "validate", "model": msgspec.to_builtins(built.model), "seconds": seconds, "warm_up_s": 8 * 3600.0,
            "measured": built.measured, "runs": _RUNS, "week_s": built.week_s,
        }  # fmt: skip
        about = validation_of(built.model.name)
        return self._jobs.ask(SERVICE, problem, actor, budget_s=_BUDGET_S, seed=1, about=about)

    def _reads_all(self, actor: Actor, twin: Twin, start: int, end: int) -> bool:
        spans = self._authoriser.spans(actor, twin, "", start, end)
        return len(spans) == 1 and spans[0] == (start, end)

    def _require_all(self, actor: Actor, twin: Twin, start: int, end: int) -> None:
        if not self._reads_all(actor, twin, start, end):
            hint = "Rights follow ownership at the time of the observation; ask for a shorter time"
            raise RefusedError(Fault("range:not-yours", f"You may not read {twin.id} all that time", hint, "from"))


def validation_of(line: str) -> str:
    """By what the checks of a line's model are found among the jobs."""
    return f"validation of {line}"


def comparison_of(line: str) -> str:
    """By what comparisons of a line are found among the jobs."""
    return f"scenarios of {line}"
