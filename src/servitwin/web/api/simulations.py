"""Simulation: lines with scenarios, and co-simulation of set-ups."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.expected_trace import Compared, Drawn
from servitwin.domain.instant import DAY
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.system_structure import SystemStructure
from servitwin.usecases.build_line_model import BuildLineModel
from servitwin.usecases.co_simulate import SERVICE, VERSION, CoSimulate, SetUp, Watched, as_service_findings
from servitwin.usecases.keep_findings import Finder, KeepFindings, Message
from servitwin.usecases.simulate_line import Comparison, SimulateLine
from servitwin.web.api.answers import answer, at, range_of, time_of
from servitwin.web.api.callers import Me, Parts, permitted_twin
from servitwin.web.api.jobs import shown_job
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.planning import JobShape
from servitwin.web.api.shapes.simulation import (
    ComparedAnswer,
    ComparedIn,
    ComparisonIn,
    FmuAnswer,
    LineModelAnswer,
    LineModelIn,
    SetUpIn,
)

router = router_of("simulation")
_USUAL, _LONGEST = 3 * DAY, 400 * DAY
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/lines/{twin}/model", response_model=LineModelAnswer)
def read_line_model(parts: Parts, me: Me, twin: str) -> Response:
    """The model of a line that is kept for the caller's company, and how well it met the past."""
    line = permitted_twin(parts, me, twin, "read")
    desk = _lines(parts)
    return answer(_shown(parts, desk.model(me, line), desk.validation(me, line)))


@router.post("/lines/{twin}/model", response_model=LineModelAnswer, status_code=201)
async def build_line_model(parts: Parts, me: Me, twin: str, body: LineModelIn) -> Response:
    """Build a line's model from its twins' history and have it checked by the part that was kept back.

    What was assumed stands in `model.assumed`. Refused with `line:history-too-short` for each station that has less
    than a day or a hundred parts. The check is a job; ask again until `validation.state` is `done`.
    """

    def build() -> dict[str, Any]:
        line = permitted_twin(parts, me, twin, "read")
        start, end = range_of(_text(body.from_), _text(body.to), parts.now(), _USUAL, _LONGEST)
        entry, _, job = _lines(parts).build(me, line, start, end, body.order, body.keep_back)
        return _shown(parts, entry, None if job is None else (job, None))

    shown = await run_in_threadpool(build)
    parts.working.wake()
    return answer(shown, 201)


@router.post("/lines/{twin}/comparisons", response_model=JobShape, status_code=202)
async def compare_scenarios(parts: Parts, me: Me, twin: str, body: ComparisonIn) -> Response:
    """Compare scenarios of a line with the line as it is: differences with intervals, and money where a price is given.

    The answer comes at once: ask `GET /jobs/{id}`; its `plan` gets better known with each batch of replications.
    """

    def ask() -> Job:
        line = permitted_twin(parts, me, twin, "read")
        return _lines(parts).compare(me, line, msgspec.convert(body.model_dump(), Comparison))

    job = await run_in_threadpool(ask)
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.put("/fmus/{id}", response_model=FmuAnswer, openapi_extra=_FILE)
async def keep_fmu(
    request: Request, parts: Parts, me: Me, id: str, title: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Keep an FMU (FMI 2 or 3) or an SSP package in the register `fmus`. Nothing of it is run by that."""
    content = await request.body()
    entry = await run_in_threadpool(_models(parts).keep, me, id, content, title)
    return answer({"title": "", "fmi": "", **entry.body, "id": entry.id, "revision": entry.revision})


@router.post("/co-simulations", response_model=JobShape, status_code=202)
async def co_simulate(parts: Parts, me: Me, body: SetUpIn) -> Response:
    """Simulate a set-up before a machine runs it: each FMU in a sandboxed process of its own, one fixed step.

    The answer comes at once: ask `GET /jobs/{id}`. An FMU that crashes, hangs or writes files ends the job with
    `fmu:...` and its name.
    """
    job = await run_in_threadpool(_models(parts).ask, me, _set_up(body))
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.post("/co-simulations/{id}/comparison", response_model=ComparedAnswer)
async def compare_with_machine(parts: Parts, me: Me, id: str, body: ComparedIn) -> Response:
    """Compare the real machine with its simulated set-up afterwards; deviations that last are findings.

    With `open_cases` they open, continue and end cases, as the findings of services do.
    """
    found, cases, said = await run_in_threadpool(_compare, parts, me, id, body)
    for subject, payload in said:
        await parts.bus.publish(subject, payload)
    shown = [_compared(one, course, cases) for one, course in found]
    return answer({"signals": shown, "says": _says([one for one, _ in found])})


def _compare(
    parts: WebParts, me: Actor, id: str, body: ComparedIn
) -> tuple[list[tuple[Compared, Drawn]], dict[tuple[str, int], str], list[Message]]:
    """What was compared, the case of each deviation by signal and begin, and what the bus has to hear of."""
    twin = permitted_twin(parts, me, body.twin, "treat" if body.open_cases else "read")
    begin = time_of(_text(body.begin) or "", "begin")
    watched = [msgspec.convert(s.model_dump(), Watched) for s in body.signals]
    found = _models(parts).compare(me, id, twin, body.name, begin, watched)
    keeper = KeepFindings(parts.registry, parts.records, parts.new_id)
    by = Finder(SERVICE, VERSION, body.name)
    deviations = as_service_findings(body.name, [one for one, _ in found])
    said: list[Message] = []
    if body.open_cases:
        with parts.records.together("cases"):
            now = parts.now()
            said = keeper.take(twin, by, deviations, parts.history.cut(), now, now)
    return found, {(d.about, d.start): keeper.case_of(twin, by, d) for d in deviations}, said


def _set_up(body: SetUpIn) -> SetUp:
    plain = body.model_dump(exclude={"system"})
    try:
        system = None if body.system is None else msgspec.convert(body.system, SystemStructure, strict=False)
    except msgspec.ValidationError as e:
        hint = "It has components, connections, start, stop, step, show"
        raise InvalidInputError(Fault("system:problem", f"This is no structure: {e}", hint, "system")) from None
    return msgspec.structs.replace(msgspec.convert(plain, SetUp), system=system)


def _lines(parts: WebParts) -> SimulateLine:
    builder = BuildLineModel(parts.history, parts.registry, parts.records)
    return SimulateLine(parts.registry, parts.authoriser, builder, parts.registers, parts.jobs)


def _models(parts: WebParts) -> CoSimulate:
    return CoSimulate(parts.registers, parts.jobs, parts.files, parts.history)


def _shown(parts: WebParts, entry: RegisterEntry, checked: tuple[Job, Any] | None) -> dict[str, Any]:
    validation = None if checked is None else {**shown_job(checked[0]), "plan": checked[1]}
    return {
        "line": entry.id, "revision": entry.revision, "at": at(entry.at), "by": entry.by, "model": entry.body,
        "validation": validation,
    }  # fmt: skip


def _compared(one: Compared, course: Drawn, cases: dict[tuple[str, int], str]) -> dict[str, Any]:
    return {
        **{n: getattr(one, n) for n in ("signal", "observed", "inside", "rms", "largest", "covered")},
        "at": at(one.at), "simulated": course.expected, "measured": course.observed,
        "findings": [
            {
                "id": f.id, "requirement": f.requirement, "component": f.component, "severity": f.severity,
                "start": at(f.start), "end": at(f.end), "determined": at(f.determined), "least": f.least,
                "most": f.most, "case": cases[one.signal, f.start],
            }
            for f in one.findings
        ],
    }  # fmt: skip


def _says(found: list[Compared]) -> str:
    deviations = sum(len(c.findings) for c in found)
    silent = [c.signal for c in found if not c.observed]
    said = f"{_counted(deviations, 'deviation')} in {_counted(len(found), 'signal')}"
    said = said if deviations else f"{_counted(len(found), 'signal')} as simulated"
    return f"{said}; nothing was heard of {', '.join(silent)}" if silent else said


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
