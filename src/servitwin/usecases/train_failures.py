"""Train models of failures within days from the history of machines that may teach; again when it is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_horizon import (
    HorizonModel,
    Judgement,
    day_features,
    read_horizon_book,
)
from servitwin.domain.instant import HOUR
from servitwin.domain.job import Job
from servitwin.domain.machine_change import parts_replaced
from servitwin.domain.party import Actor
from servitwin.domain.remaining_life.drift import Drift, drift
from servitwin.domain.twin import Dated, Twin, value_at
from servitwin.domain.watched_failures import Watched, watched_faults
from servitwin.usecases.assign_service import Assignment
from servitwin.usecases.failure_sets import WatchedType, dataset, that_fit
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.life_teachers import LifeTeachers, Teacher
from servitwin.usecases.machine_changes import MachineChanges
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.remaining_lives import WATCH
from servitwin.usecases.trainings import (
    BookInUse,
    Candidate,
    ask_due,
    assigned_by,
    book_in_use,
    require_teachers,
)
from servitwin.usecases.watched_days import WatchedDays, WatchedMachine

TRAINER = "failure_horizon"


class FailureModelState(msgspec.Struct, frozen=True):
    """A model in use with how it is doing, and what may teach the next one."""

    machine_type: str
    digest: str
    model: HorizonModel | None
    drift: Drift | None
    watched: WatchedType | None


class TrainFailures:
    """Gathers days, asks for the training, watches the models in use."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        files: Files,
        jobs: Jobs,
        operator: Callable[[], str],
        now: Callable[[], int],
        days: WatchedDays,
    ) -> None:
        self._records, self._registry, self._files, self._jobs = records, registry, files, jobs
        self._operator, self._now, self._days = operator, now, days
        self._teachers, self._changes = LifeTeachers(records, registry), MachineChanges(records)
        self._looked = 0

    def watched(self, party: str, machine_type: str = "") -> list[WatchedType]:
        """Types of machines that are watched (or one of them), with what may teach that party's models."""
        groups = assigned_by(self._records, self._registry, WATCH, self._key)
        wanted = {name: group for name, group in groups.items() if machine_type in ("", name)}
        found = [self._gather(party, name, group) for name, group in sorted(wanted.items())]
        return [one for one in found if one is not None]

    def _key(self, twin: Twin, a: Assignment) -> str | None:
        type_ = self._registry.type_at(twin, self._now())
        return None if type_ is None or watched_faults(a.parameters) else type_.name

    def _gather(self, party: str, machine_type: str, group: list[tuple[Twin, Assignment]]) -> WatchedType | None:
        """None: the party knows none of these machines."""
        now, operator, how = self._now(), self._operator(), dict[str, tuple[Twin, Watched]]()
        for twin, a in group:
            how.setdefault(twin.uid, (twin, msgspec.convert(a.parameters, Watched)))
        teachers = self._teachers.of(party, [t for t, _ in how.values()], now, operator)
        if not teachers:
            return None
        alike = {t.uid: (how[t.uid][1].names, self._units(*how[t.uid])) for t in teachers}
        voters = [t.uid for t in teachers if t.permitted] or list(alike)  # what others name is none of its business
        usual = Counter(alike[uid] for uid in voters).most_common(1)[0][0]
        first = next(how[uid][1] for uid in voters if alike[uid] == usual)
        teachers = [t if alike[t.uid] == usual or not t.permitted else _unlike(t) for t in teachers]
        known, wanted = self._changes.recorded(), []
        for twin, w in (how[t.uid] for t in teachers if t.permitted):
            repairs = parts_replaced(self._changes.of(twin, known))
            wanted.append(WatchedMachine(twin.uid, w, _owned_since(twin.owner, now, operator), repairs))
        days = self._days.of(wanted, now)
        machines = {
            t.twin: msgspec.structs.replace(days[t.uid], id=t.twin, owner=t.owner) for t in teachers if t.uid in days
        }
        return WatchedType(machine_type, first, teachers, machines)

    def _units(self, twin: Twin, watched: Watched) -> tuple[str, ...]:
        known = self._registry.signals(twin.uid, self._now())
        signals = [known.get(s) for _, s in sorted(watched.means.items())]
        return tuple("" if s is None else s.unit for s in signals)

    def train(
        self, actor: Actor, machine_type: str, *, party: str = "", horizon: int | None = None,
        costs: tuple[float, float, str] | None = None,
    ) -> Job:  # fmt: skip
        """Ask for a training from all days that may teach.

        ``horizon`` (days) and ``costs`` are those of the model in use, where they are not given.

        Raises:
            InvalidInputError: ``horizon:not-watched``, ``horizon:too-few-failures``, ``horizon:too-few-machines``.
            RefusedError: ``access:not-permitted``; ``horizon:not-permitted``: no machine's user has agreed.
            UnavailableError: ``horizon:being-read``.
        """
        mine = self._jobs.planning_for(actor, party)
        one = next(iter(self.watched(mine, machine_type)), None) if machine_type else None
        if one is None:
            known = ", ".join(w.machine_type for w in self.watched(mine)) or "none"
            hint = f"Watched types: {known}. To watch a machine: PUT /api/v1/twins/ID/services/{WATCH}"
            message = f"No failures of a {machine_type[:80]!r} are watched"
            raise InvalidInputError(Fault("horizon:not-watched", message, hint, "machine_type"))
        require_teachers(one.teachers, "horizon:not-permitted")
        fitting, days = that_fit(one)
        if not fitting.taught:
            raise InvalidInputError(fitting.too_few())
        present = self._book(mine)
        problem = dataset(fitting, present.model(machine_type), present.text(machine_type), horizon, costs)
        why = [f"The last {days} days of each machine teach: one training takes no more"] if days is not None else []
        return self._jobs.ask(TRAINER, problem, actor, budget_s=600, seed=1, about=_about(one), party=mine, why=why)

    def due(self, now: int) -> list[Job]:
        """Ask for each training that is due for the operator; days do not change more often than once an hour."""
        if now // HOUR == self._looked:
            return []
        party = self._operator()
        present = self._book(party)

        def candidate(one: WatchedType) -> Candidate:
            model = present.model(one.machine_type)
            return Candidate(
                one.machine_type, _about(one), one.ends, sum(model.failures.values()) if model is not None else None,
                lambda: model is not None and (state := self._drift(one, model, party)) is not None and state.retrain,
                lambda actor: self.train(actor, one.machine_type, party=party),
            )  # fmt: skip

        wanted = [candidate(one) for one in self.watched(party) if one.taught]
        asked = ask_due(self._records, self._jobs, TRAINER, party, wanted, now)
        self._looked = now // HOUR
        return asked

    def states(self, party: str, machine_type: str = "") -> list[FailureModelState]:
        """Models in use and types that have none yet; ``machine_type``: of that type alone."""
        found = []
        watched = {w.machine_type: w for w in self.watched(party, machine_type)}
        present = self._book(party)
        for key in sorted({*watched, *(present.book.models if present.book is not None else {})}):
            if machine_type not in ("", key):
                continue
            model, one = present.model(key), watched.get(key)
            state = self._drift(one, model, party) if model is not None and one is not None else None
            found.append(FailureModelState(key, present.digest if model is not None else "", model, state, one))
        return found

    def _drift(self, one: WatchedType, model: HorizonModel, party: str) -> Drift | None:
        key = ("drift", party, one.machine_type)
        on = (model.dataset, *one.watched.names)
        return self._days.once(key, one.machines.values(), on, lambda: _drift(one, model), self._now())

    def _book(self, party: str) -> BookInUse[HorizonModel, Judgement]:
        return book_in_use(self._records, self._files, TRAINER, party, read_horizon_book)


def _drift(one: WatchedType, model: HorizonModel) -> Drift | None:
    """From the last two weeks of each machine, and failures since it was learnt; None: they look at other things."""
    if model.signals != sorted(one.watched.means) or set(model.errors) - set(one.watched.errors):
        return None
    recent, told = [], []
    for m in one.machines.values():
        rows = day_features(m, model.signals, [], [], [])
        recent.append(rows[-1, 2::3])
        until = model.until.get(m.id, 0)
        since = float(max(until + model.horizon - m.first_day, 0)) if until else 0.0
        for t, c, best in model.before_failures(m, since):
            below = int(np.searchsorted(model.announced[c], best, side="right"))
            told.append((m.first_day + t, (1 + below) / (1 + len(model.announced[c]))))
    means = np.array(recent, np.float64).reshape(len(recent), len(model.signals))
    chances = [p for _, p in sorted(told)]
    return drift(model.shares, model.signals, means, chances, "failures came less announced than in training")


def _unlike(teacher: Teacher) -> Teacher:
    why = "It names other signals, events or units than most machines of its type"
    return msgspec.structs.replace(teacher, permitted=False, why=why)


def _owned_since(owner: tuple[Dated, ...], now: int, operator: str) -> int:
    """When it changed hands last; what the machine did before is another's. One that nobody owns is the operator's."""
    edges = {at for d in owner for at in (d.start, d.end) if at is not None and at <= now}
    return max((at for at in edges if _owner(owner, at, operator) != _owner(owner, at - 1, operator)), default=0)


def _owner(owner: tuple[Dated, ...], at: int, operator: str) -> str:
    return value_at(owner, at) or operator


def _about(one: WatchedType) -> str:
    return f"failures of {one.machine_type}"
