"""What routes that ask for trainings share: costs as they come in, the job that waits, and who may teach."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from servitwin.domain.error import InvalidInputError
from servitwin.domain.job import Job
from servitwin.domain.remaining_life.assigned import cost_faults
from servitwin.usecases.life_teachers import Teacher
from servitwin.web.api.answers import answer
from servitwin.web.api.jobs import shown_job
from servitwin.web.api.parts import WebParts
from servitwin.web.api.shapes.trainings import CostsIn


def costs_of(body: CostsIn) -> tuple[float, float, str] | None:
    """Costs of a planned replacement and of a failure with their currency; None: not given.

    Raises:
        InvalidInputError: ``life:costs``, ``money:...``.
    """
    given = (body.preventive_cost, body.failure_cost, body.currency)
    if not any(given):
        return None
    faults = cost_faults(*given)
    if faults:
        raise InvalidInputError(faults)
    return float(body.preventive_cost), float(body.failure_cost), body.currency


def waiting(parts: WebParts, job: Job) -> Response:
    """The answer that a training waits; whoever does the jobs hears of it."""
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


def teacher_of(teacher: Teacher) -> dict[str, Any]:
    """A machine and whether it may teach, as shown."""
    return {"twin": teacher.twin, "owner": teacher.owner, "permitted": teacher.permitted, "why": teacher.why}
