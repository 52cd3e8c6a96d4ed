"""Models of failures within days: those in use, who may teach them, and their training."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.failure_events import FEWEST_FAILURES
from servitwin.domain.instant import DAY
from servitwin.domain.job import Job
from servitwin.usecases.failure_sets import failures_of
from servitwin.usecases.train_failures import FailureModelState, TrainFailures
from servitwin.usecases.worth_of_acting import told, worth_of_alarms
from servitwin.web.api.answers import answer, at, full
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.failure_models import FailureModels, FailureTrainingIn
from servitwin.web.api.shapes.planning import JobShape
from servitwin.web.api.trainings import costs_of, teacher_of, waiting

router = router_of("remaining life")


def failure_training(parts: Parts) -> TrainFailures:
    """Asks for trainings of failures within days and watches the models in use."""
    operator = parts.authoriser.operator
    return TrainFailures(
        parts.records, parts.registry, parts.files, parts.jobs, operator, parts.now, parts.watched_days
    )  # fmt: skip


Training = Annotated[TrainFailures, Depends(failure_training)]


@router.get("/failure-models", response_model=FailureModels)
def list_failure_models(
    parts: Parts, training: Training, me: Me, party: Annotated[str, Query(max_length=100)] = "",
    machine_type: Annotated[str, Query(max_length=100, description="only of this type")] = "",
) -> Response:  # fmt: skip
    """Models in use by a party (default: the caller's), whose history may teach them, and whether they still hold.

    Candidates and retired ones: `GET /services/failure_horizon/artefacts`.
    """
    mine = parts.jobs.party_of(me, party)
    parts.authoriser.require_for_party(me, "see_plan", mine)
    return answer({"party": mine, "items": [_model(s) for s in training.states(mine, machine_type)]})


@router.post("/failure-models/training", response_model=JobShape, status_code=202)
async def train_failure_model(parts: Parts, training: Training, me: Me, body: FailureTrainingIn) -> Response:
    """Learn from the history of all machines whose users agreed; the new model is used only if it is better."""
    costs = costs_of(body)

    def ask() -> Job:
        return training.train(me, body.machine_type, party=body.party, horizon=body.horizon_days, costs=costs)

    return waiting(parts, await run_in_threadpool(ask))


def _model(s: FailureModelState) -> dict[str, Any]:
    teachers: list[dict[str, Any]] = []
    for t in s.watched.teachers if s.watched is not None else ():
        days = s.watched.machines.get(t.twin) if s.watched is not None else None
        taught: dict[str, Any] = {"days": 0, "since": None, "failures": {}}
        if days is not None:
            taught = {"days": len(days.means), "since": at(days.first_day * DAY), "failures": failures_of(days)}
        teachers.append(teacher_of(t) | taught)
    worth = {c: told(worth_of_alarms(s.model, c)) for c in s.model.components} if s.model is not None else {}
    return {
        "machine_type": s.machine_type, "artefact": s.digest, "teachers": teachers,
        "summary": None if s.model is None else s.model.told(), "drift": None if s.drift is None else full(s.drift),
        "failures": s.watched.failures if s.watched is not None else {}, "needed": FEWEST_FAILURES, "worth": worth,
    }  # fmt: skip
