"""Train models of remaining life from lives that ended on machines that may teach; again when it is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_duration
from servitwin.domain.job import Job
from servitwin.domain.model_book import model_key
from servitwin.domain.party import Actor
from servitwin.domain.remaining_life.assigned import Assigned, assigned_faults
from servitwin.domain.remaining_life.drift import Drift, drift
from servitwin.domain.remaining_life.lives import FEWEST_FAILURES
from servitwin.domain.remaining_life.measure import Quality
from servitwin.domain.remaining_life.model import LifeModel, read_book
from servitwin.domain.twin import Twin
from servitwin.usecases.assign_service import Assignment
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.life_teachers import LifeTeachers, Teacher
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.remaining_lives import LEARNT, EndedLives, RemainingLives
from servitwin.usecases.trainings import (
    BookInUse,
    Candidate,
    ask_due,
    assigned_by,
    book_in_use,
    require_teachers,
)

TRAINER = "remaining_life_training"


class Followed(msgspec.Struct, frozen=True):
    """A component of a machine type that is followed on machines, all in the same way.

    Attributes:
        teachers: whether each machine may teach; lives: ended lives of those that may, by machine.
    """

    machine_type: str
    component: str
    assigned: Assigned
    teachers: list[Teacher]
    lives: dict[str, list[dict[str, Any]]]

    @property
    def key(self) -> str:
        """As models are named."""
        return model_key(self.machine_type, self.component)

    @property
    def count(self) -> int:
        """Ended lives that may teach."""
        return len(self.ends)

    @property
    def ends(self) -> list[int]:
        """When they ended, ns UTC."""
        return [int(e["to"]) for lives in self.lives.values() for e in lives]


class ModelState(msgspec.Struct, frozen=True):
    """A model in use with how it is doing: its drift, and what may teach the next one."""

    key: str
    digest: str
    model: LifeModel | None
    drift: Drift | None
    followed: Followed | None


class TrainLives:
    """Gathers lives, asks for the training, watches the models in use."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        files: Files,
        jobs: Jobs,
        operator: Callable[[], str],
        now: Callable[[], int],
        ended: EndedLives,
    ) -> None:
        self._records, self._registry, self._files, self._jobs = records, registry, files, jobs
        self._operator, self._now = operator, now
        self._lives, self._ended = RemainingLives(records), ended
        self._teachers = LifeTeachers(records, registry)

    def followed(self, party: str) -> list[Followed]:
        """Components that are followed, with what may teach that party's models."""
        groups = assigned_by(self._records, self._registry, LEARNT, self._key)
        found = [self._gather(party, name, component, group) for (name, component), group in sorted(groups.items())]
        return [one for one in found if one.teachers]

    def _key(self, twin: Twin, a: Assignment) -> tuple[str, str] | None:
        if assigned_faults(a.parameters):
            return None
        type_ = self._registry.type_at(twin, self._now())
        return type_.name if type_ is not None else "", str(a.parameters["component"])

    def _gather(self, party: str, type_: str, component: str, group: list[tuple[Twin, Assignment]]) -> Followed:
        now = self._now()
        first = msgspec.convert(group[0][1].parameters, Assigned)
        alike = [(t, a) for t, a in group if _columns(a.parameters) == _columns(group[0][1].parameters)]
        teachers = self._teachers.of(party, [t for t, _ in alike], now, self._operator())
        how, lives = {twin.uid: (twin, a) for twin, a in alike}, {}
        for twin, a in (how[t.uid] for t in teachers if t.permitted):
            lives[twin.id] = [e for e in self._ended.of(a, now) if "lived" in e]
        return Followed(type_, component, first, teachers, lives)

    def train(
        self, actor: Actor, machine_type: str, component: str, *, party: str = "", life_unit: str = "",
        cap: float | None = None, costs: tuple[float, float, str] | None = None,
    ) -> Job:  # fmt: skip
        """Ask for a training from all lives that may teach.

        Raises:
            InvalidInputError: ``life:not-followed``, ``life:too-few-failures``.
            RefusedError: ``access:not-permitted``; ``life:not-permitted``: no machine's user has agreed.
        """
        mine = self._jobs.planning_for(actor, party)
        one = next((f for f in self.followed(mine) if (f.machine_type, f.component) == (machine_type, component)), None)
        if one is None:
            message = f"No {machine_type} is followed by its {component}"
            hint = f"Let the service {LEARNT} run on its machines: PUT /api/v1/twins/ID/services/{LEARNT}"
            raise InvalidInputError(Fault("life:not-followed", message, hint, "component"))
        require_teachers(one.teachers, "life:not-permitted")
        if one.count < FEWEST_FAILURES:
            message = f"{one.count} lives have ended on machines that may teach, {FEWEST_FAILURES} are needed"
            raise InvalidInputError(
                Fault("life:too-few-failures", message, "Plan by age until more have ended", "component")
            )
        problem = self._dataset(one, mine, life_unit, cap, costs)
        return self._jobs.ask(TRAINER, problem, actor, budget_s=600, seed=1, about=_about(one), party=mine)

    def due(self, now: int) -> list[Job]:
        """Ask for each training that is due for the operator."""
        party = self._operator()
        present = self._book(party)

        def candidate(one: Followed) -> Candidate:
            model = present.model(one.key)
            return Candidate(
                one.key, _about(one), one.ends, model.trained_on.failures if model is not None else None,
                lambda: model is not None and self._drift(one, model).retrain,
                lambda actor: self.train(actor, one.machine_type, one.component, party=party),
            )  # fmt: skip

        wanted = [candidate(one) for one in self.followed(party) if one.count >= FEWEST_FAILURES + 2]
        return ask_due(self._records, self._jobs, TRAINER, party, wanted, now)

    def states(self, party: str) -> list[ModelState]:
        """Models in use and components that have none yet."""
        found = []
        followed = {f.key: f for f in self.followed(party)}
        present = self._book(party)
        for key in sorted({*followed, *(present.book.models if present.book is not None else {})}):
            model, one = present.model(key), followed.get(key)
            state = self._drift(one, model) if model is not None and one is not None else None
            found.append(ModelState(key, present.digest if model is not None else "", model, state, one))
        return found

    def _book(self, party: str) -> BookInUse[LifeModel, Quality]:
        return book_in_use(self._records, self._files, TRAINER, party, read_book)

    def _drift(self, one: Followed, model: LifeModel) -> Drift:
        """From the last word on each machine, and from lives that ended since the model said something of them."""
        now, recent = self._now(), []
        for teacher in one.teachers:
            twin = self._registry.by_uid(teacher.uid)
            for r in self._lives.of(twin, now, course=False) if twin is not None else ():
                row = r.said.get("recent", ())
                if r.component == one.component and len(row) == len(model.regimes.used):
                    recent.append(row)
        ended = sorted((e for lives in one.lives.values() for e in lives if "chance" in e), key=lambda e: int(e["to"]))
        shape = (len(recent), len(model.regimes.used))
        chances = [float(e["chance"]) for e in ended]
        return drift(model.shares, model.watched, np.array(recent, np.float64).reshape(shape), chances)

    def _dataset(
        self,
        one: Followed,
        party: str,
        life_unit: str,
        cap: float | None,
        costs: tuple[float, float, str] | None,
    ) -> dict[str, Any]:
        owner = {t.twin: t.owner for t in one.teachers}
        machines = [
            {"id": f"{twin}@{e['from']}", "failed": True, "owner": owner[twin], "rows": e["lived"]}
            for twin, lives in one.lives.items()
            for e in lives
        ]
        present = self._book(party)
        model = present.model(one.key)
        longest = max(len(m["rows"]) for m in machines)
        found: dict[str, Any] = {
            "machine_type": one.machine_type, "component": one.component, "machines": machines,
            "settings": one.assigned.settings, "signals": one.assigned.signals,
            "life_unit": life_unit or (model.life_unit if model is not None else _unit(one.assigned.every)),
            "cap": cap or (model.cap if model is not None else max(5.0, round(0.6 * longest))),
            "incumbent": present.text(one.key),
        }  # fmt: skip
        if costs is None:
            known = model.acting if model is not None else None
            kept = (known.preventive, known.failure, known.currency) if known is not None else None
            costs = one.assigned.costs or kept or (1.0, 5.0, "")  # a ratio alone, until somebody gives money
        return found | dict(zip(("preventive_cost", "failure_cost", "currency"), costs, strict=True))


def _about(one: Followed) -> str:
    return f"life of {one.key}"


def _unit(every: str) -> str:
    """What a row is called: ``min`` and ``h`` for one of them, else as given."""
    names = {60: "min", 3600: "h", 1: "s"}
    return names.get(round(parse_duration(every) / 1e9), f"x {every}")


def _columns(parameters: dict[str, Any]) -> str:
    wanted = {k: parameters.get(k) for k in ("settings", "signals", "every")}
    return msgspec.json.encode(wanted, order="deterministic").decode()
