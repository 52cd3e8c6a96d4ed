"""Plans from files, whatever their form: table, plan as the API gives it, job list of ISA-95."""

from __future__ import annotations

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, parse_instant
from servitwin.domain.schedule.problem import Placement
from servitwin.formats.job_order import plan_of_job_list
from servitwin.formats.read_plan import PlacedAt, ReadPlan, gathered
from servitwin.formats.schedule_csv import plan_of_csv

CSV, JSON = "text/csv", "application/json"


class _Placed(msgspec.Struct):
    """An operation of a plan as ``GET /schedules/{id}`` gives it; what else stands there is not read."""

    order: str
    operation: str
    machine: str
    start: str
    end: str
    setup_s: float = 0.0
    crew: str = ""
    started: bool = False


class _Plan(msgspec.Struct):
    operations: list[msgspec.Raw]


def read_plan(content: bytes, media: str) -> ReadPlan:
    """The plan in a file of type ``text/csv`` or ``application/json`` (a list is a job list, an object a plan).

    Raises:
        InvalidInputError: everything that is wrong with the file.
    """
    if media not in (CSV, JSON):
        hint = f"Send {CSV} or {JSON}"
        raise InvalidInputError(Fault("plan-file:media-type", f"{media[:80]!r} is not read here", hint))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = content[: e.start].count(b"\n") + 1
        fault = Fault("plan-file:not-utf-8", "This is no UTF-8", "Save it as UTF-8", line=line)
        raise InvalidInputError(fault) from None
    if media == CSV:
        return plan_of_csv(text)
    try:
        found = msgspec.json.decode(text, strict=True)
    except msgspec.DecodeError as e:
        hint = "Send the whole file: a plan or a job list as it was exported"
        raise InvalidInputError(Fault("plan-file:not-json", f"This is no JSON: {e}", hint)) from None
    return plan_of_job_list(found) if isinstance(found, list) else _plan_of_json(text)


def _plan_of_json(text: str) -> ReadPlan:
    try:
        plan = msgspec.json.decode(text, type=_Plan)
    except msgspec.ValidationError as e:
        hint = "A plan has a list `operations`; a job list is an array"
        raise InvalidInputError(Fault("plan-file:shape", str(e), hint)) from None
    rows: list[PlacedAt] = []
    faults: list[Fault] = []
    for n, raw in enumerate(plan.operations):
        where = f"operations[{n}]"
        try:
            rows.append(PlacedAt(_placement(msgspec.json.decode(raw, type=_Placed)), where))
        except msgspec.ValidationError as e:
            faults.append(Fault("plan-file:shape", str(e), "See GET /schedules/{id}", where))
        except InvalidInputError as e:
            faults.append(msgspec.structs.replace(e.fault, where=where))
    return gathered(rows, faults)


def _placement(p: _Placed) -> Placement:
    if not 0 <= p.setup_s < NS:
        fault = Fault("plan-file:setup", f"setup_s is {p.setup_s:g}", "Zero or more seconds")
        raise InvalidInputError(fault)
    start, end = parse_instant(p.start), parse_instant(p.end)
    return Placement(p.order, p.operation, p.machine, start, end, round(p.setup_s * NS), p.crew, p.started)
