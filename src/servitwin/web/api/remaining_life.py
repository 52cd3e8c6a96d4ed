"""Remaining life of components: of one machine, of a fleet, and the models behind it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.job import Job
from servitwin.domain.model_book import model_key
from servitwin.usecases.remaining_lives import Remaining, RemainingLives
from servitwin.usecases.train_lives import ModelState, TrainLives
from servitwin.usecases.worth_of_acting import told, worth_of
from servitwin.web.api.answers import answer, at, full
from servitwin.web.api.callers import Me, Parts, permitted_twin
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.planning import JobShape
from servitwin.web.api.shapes.remaining_life import LifeModels, LifeTrainingIn, RemainingLifeList
from servitwin.web.api.trainings import costs_of, teacher_of, waiting

router = router_of("remaining life")
_SPECTRUM = ("used", "remaining", "recorded", "assumed", "days", "days_low", "days_high")
_FAILURE = ("chance", "threshold", "horizon_days")
_WEAR = ("possible", "chances", "text", "confidence", "doubts")
_COUNTED = ("running_h", "factor", "heaviest", "over", "unknown_h")
_LEARNT = ("known", "unit", "row_s", "age", "expected", "low", "high", "confidence", "at_least", "model")


def life_training(parts: Parts) -> TrainLives:
    """Asks for trainings of remaining life and watches the models in use."""
    operator = parts.authoriser.operator
    return TrainLives(parts.records, parts.registry, parts.files, parts.jobs, operator, parts.now, parts.ended_lives)


Training = Annotated[TrainLives, Depends(life_training)]


@router.get("/twins/{id}/remaining-life", response_model=RemainingLifeList)
def read_remaining_life(parts: Parts, me: Me, id: str) -> Response:
    """What is left of each component that is followed, with the reasons, or why that is not known."""
    twin = permitted_twin(parts, me, id, "read")
    return answer({"items": [_component(parts, r) for r in RemainingLives(parts.records).of(twin, parts.now())]})


@router.get("/remaining-life", response_model=RemainingLifeList)
def list_remaining_life(
    parts: Parts, me: Me, urgency: Annotated[str, Query(max_length=50, description="only these: now,soon")] = ""
) -> Response:
    """All components of all machines that the caller may read, the most urgent first."""
    readable = parts.authoriser.readable(me)
    twins = [t for t in parts.registry.twins() if t.uid in readable]
    wanted = {u for u in urgency.split(",") if u}
    found = RemainingLives(parts.records).fleet(twins, parts.now())
    return answer({"items": [_component(parts, r) for r in found if not wanted or r.urgency in wanted]})


@router.get("/remaining-life/models", response_model=LifeModels)
def list_life_models(
    parts: Parts, training: Training, me: Me, party: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Models in use by a party (default: the caller's), who may teach them, and whether they still hold.

    Candidates and retired ones: `GET /services/remaining_life_training/artefacts`.
    """
    mine = parts.jobs.party_of(me, party)
    parts.authoriser.require_for_party(me, "see_plan", mine)
    return answer({"party": mine, "items": [_model(s) for s in training.states(mine)]})


@router.post("/remaining-life/training", response_model=JobShape, status_code=202)
async def train_remaining_life(parts: Parts, training: Training, me: Me, body: LifeTrainingIn) -> Response:
    """Learn from all lives that ended on machines whose users agreed; the new model is used only if it is better."""
    costs = costs_of(body)

    def ask() -> Job:
        return training.train(
            me, body.machine_type, body.component, party=body.party, life_unit=body.life_unit, cap=body.cap, costs=costs
        )

    return waiting(parts, await run_in_threadpool(ask))


def _component(parts: Parts, r: Remaining) -> dict[str, Any]:
    said, learnt, spectrum, failure, wear = r.said, None, None, None, None
    if said and r.method == "learnt":
        learnt = {
            **{name: said.get(name) for name in _LEARNT},
            "since": at(said["since"]), "warn": r.parameters.get("warn"),
            "reasons": said["reasons"], "doubts": said["doubts"],
            "course": [{"at": at(t), "expected": e, "low": lo, "high": hi} for t, e, lo, hi in r.course],
        }  # fmt: skip
    elif said and r.method == "chance":
        failure = {n: said.get(n) for n in _FAILURE} | {
            "reasons": said.get("reasons", []),
            "model": said.get("model", ""),
        }
        failure["doubts"] = said["doubts"]
    elif said and r.method == "wear":
        wear = {n: said[n] for n in _WEAR} | {"tools": said["judged"]["tools"]}
        wear |= {n: said["judged"][n] for n in ("held", "sure", "right")}
    elif said:
        spectrum = {n: said[n] for n in _SPECTRUM} | {n: said["counted"][n] for n in _COUNTED}
    return {
        "twin": r.twin, "component": r.component, "method": r.method, "urgency": r.urgency, "at": at(r.at),
        "what_to_do": said.get("what_to_do", "Nothing has been said yet: it has not been in use since it is followed."),
        "learnt": learnt, "spectrum": spectrum, "failure": failure, "wear": wear, "worth": _worth(parts, r),
    }  # fmt: skip


def _worth(parts: Parts, r: Remaining) -> dict[str, Any] | None:
    """What acting on words of that kind was worth; of machines without a type nothing is known."""
    twin = parts.registry.by_uid(r.uid)
    type_ = parts.registry.type_at(twin, parts.now()) if twin is not None else None
    key = model_key(type_.name if type_ is not None else "", r.component)
    return told(parts.worth.of(str(r.said.get("model", "")), key))


def _model(s: ModelState) -> dict[str, Any]:
    machine_type, _, component = s.key.partition("/")
    teachers = []
    if s.followed is not None:
        lives = s.followed.lives
        teachers = [{**teacher_of(t), "lives": len(lives.get(t.twin, []))} for t in s.followed.teachers]
    return {
        "machine_type": machine_type, "component": component, "artefact": s.digest,
        "summary": None if s.model is None else s.model.told(), "drift": None if s.drift is None else full(s.drift),
        "teachers": teachers, "worth": told(worth_of(s.model)) if s.model is not None else None,
    }  # fmt: skip
