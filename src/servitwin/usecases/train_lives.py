"""Train models of remaining life from lives that ended on machines that may teach; again when it is due."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError, RefusedError
from servitwin.domain.instant import parse_duration
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.remaining_life.assigned import Assigned, assigned_faults
from servitwin.domain.remaining_life.drift import Drift, drift
from servitwin.domain.remaining_life.lives import FEWEST_FAILURES
from servitwin.domain.remaining_life.model import LifeModel, ModelBook, model_key, read_book
from servitwin.domain.twin import Twin
from servitwin.usecases.jobs import Jobs, in_use
from servitwin.usecases.life_teachers import LifeTeachers, Teacher
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.remaining_lives import LEARNT, EndedLives, RemainingLives
from servitwin.usecases.run_service import Assignment, assignments

TRAINER = "remaining_life_training"
GROWTH = 1.25  # times as many ended lives as the model in use was learnt from make a new training due
_TRIED = "life-training-tried"


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
        return sum(len(v) for v in self.lives.values())


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
        now = self._now()
        groups: dict[tuple[str, str], list[tuple[Twin, Assignment]]] = {}
        for a in assignments(self._records):
            twin = self._registry.by_uid(a.twin)
            if a.service != LEARNT or twin is None or assigned_faults(a.parameters):
                continue
            type_ = self._registry.type_at(twin, now)
            name = type_.name if type_ is not None else ""
            groups.setdefault((name, str(a.parameters["component"])), []).append((twin, a))
        return [self._gather(party, name, component, group) for (name, component), group in sorted(groups.items())]

    def _gather(self, party: str, type_: str, component: str, group: list[tuple[Twin, Assignment]]) -> Followed:
        now = self._now()
        first = msgspec.convert(group[0][1].parameters, Assigned)
        alike = [(t, a) for t, a in group if _columns(a.parameters) == _columns(group[0][1].parameters)]
        teachers = self._teachers.of(party, [t for t, _ in alike], now, self._operator())
        lives = {}
        for (twin, a), teacher in zip(alike, teachers, strict=True):
            if teacher.permitted:
                lives[twin.id] = [e for e in self._ended.of(a, now) if "lived" in e]
        return Followed(type_, component, first, teachers, lives)

    def train(
        self, actor: Actor, machine_type: str, component: str, *, party: str = "", life_unit: str = "",
        cap: float | None = None, costs: tuple[float, float, str] | None = None,
    ) -> Job:  # fmt: skip
        """Ask for a training from all lives that may teach.

        Raises:
            InvalidInputError: ``life:not-followed``, ``life:too-few-failures``.
            RefusedError: ``life:not-permitted``: no machine's user has agreed.
        """
        mine = self._jobs.party_of(actor, party)
        one = next((f for f in self.followed(mine) if (f.machine_type, f.component) == (machine_type, component)), None)
        if one is None:
            message = f"No {machine_type} is followed by its {component}"
            hint = f"Let the service {LEARNT} run on its machines: PUT /api/v1/twins/ID/services/{LEARNT}"
            raise InvalidInputError(Fault("life:not-followed", message, hint, "component"))
        if not any(t.permitted for t in one.teachers):
            hint = 'Ask their users for a grant of the purpose "fleet learning"'
            raise RefusedError([Fault("life:not-permitted", t.why, hint, t.twin) for t in one.teachers])
        if one.count < FEWEST_FAILURES:
            message = f"{one.count} lives have ended on machines that may teach, {FEWEST_FAILURES} are needed"
            raise InvalidInputError(
                Fault("life:too-few-failures", message, "Plan by age until more have ended", "component")
            )
        problem = self._dataset(one, mine, life_unit, cap, costs)
        return self._jobs.ask(TRAINER, problem, actor, budget_s=600, seed=1, about=f"life of {one.key}", party=mine)

    def due(self, now: int) -> list[Job]:
        """Ask for each training that is due for the operator: the first one, one with many more lives, one by drift."""
        party = self._operator()
        actor = Actor("servitwin", "system", party, ("service_manager",))
        tried = msgspec.json.decode(self._records.setting(_TRIED) or "{}", type=dict[str, int])
        asked = []
        for one in self.followed(party):
            if one.count < FEWEST_FAILURES + 2 or tried.get(one.key, 0) * GROWTH > one.count:
                continue
            if any(j.state in ("waiting", "running") for j in self._jobs.of(actor, TRAINER, f"life of {one.key}", 5)):
                continue
            _, model = self._model(party, one.key)
            if model is None or one.count >= GROWTH * model.trained_on.failures or self._drift(one, model).retrain:
                asked.append(self.train(actor, one.machine_type, one.component, party=party))
                tried[one.key] = one.count
        if asked:
            self._records.set_setting(_TRIED, msgspec.json.encode(tried).decode())
        return asked

    def states(self, party: str) -> list[ModelState]:
        """Models in use and components that have none yet."""
        found = []
        followed = {f.key: f for f in self.followed(party)}
        digest, book = self._book(party)
        for key in sorted({*followed, *(book.models if book is not None else {})}):
            model = book.models.get(key) if book is not None else None
            one = followed.get(key)
            state = self._drift(one, model) if model is not None and one is not None else None
            found.append(ModelState(key, digest if model is not None else "", model, state, one))
        return found

    def _book(self, party: str) -> tuple[str, ModelBook | None]:
        artefact = in_use(self._records, TRAINER, party)
        content = self._files.get(artefact.digest) if artefact is not None else None
        return ("", None) if artefact is None or content is None else (artefact.digest, read_book(content))

    def _model(self, party: str, key: str) -> tuple[str, LifeModel | None]:
        digest, book = self._book(party)
        return digest, book.models.get(key) if book is not None else None

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
        return drift(model, np.array(recent, np.float64).reshape(shape), [float(e["chance"]) for e in ended])

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
        artefact = in_use(self._records, TRAINER, party)
        content = self._files.get(artefact.digest) if artefact is not None else None
        _, model = self._model(party, one.key)
        longest = max(len(m["rows"]) for m in machines)
        found: dict[str, Any] = {
            "machine_type": one.machine_type, "component": one.component, "machines": machines,
            "settings": one.assigned.settings, "signals": one.assigned.signals,
            "life_unit": life_unit or (model.life_unit if model is not None else _unit(one.assigned.every)),
            "cap": cap or (model.cap if model is not None else max(5.0, round(0.6 * longest))),
            "incumbent": base64.b64encode(content).decode() if content is not None else "",
        }  # fmt: skip
        if costs is None:
            known = model.acting if model is not None else None
            kept = (known.preventive, known.failure, known.currency) if known is not None else None
            costs = one.assigned.costs or kept or (1.0, 5.0, "")  # a ratio alone, until somebody gives money
        return found | dict(zip(("preventive_cost", "failure_cost", "currency"), costs, strict=True))


def _unit(every: str) -> str:
    """What a row is called: ``min`` and ``h`` for one of them, else as given."""
    names = {60: "min", 3600: "h", 1: "s"}
    return names.get(round(parse_duration(every) / 1e9), f"x {every}")


def _columns(parameters: dict[str, Any]) -> str:
    wanted = {k: parameters.get(k) for k in ("settings", "signals", "every")}
    return msgspec.json.encode(wanted, order="deterministic").decode()
