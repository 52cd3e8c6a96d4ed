"""Plans as a job list of ISA-95 in the shape of the OPC UA companion specification (OPC 10031-4, Job Control).

Field names, optional fields and types are those of ``ISA95JobOrderDataType`` and ``ISA95JobOrderAndStateDataType``
(namespace http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/), written as plain JSON: LocalizedText as ``{"Text"}``,
DateTime as RFC 3339, EUInformation as ``{"DisplayName"}``. An operation of a plan is a job order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, format_instant, parse_instant
from servitwin.domain.schedule.problem import Operation, Order, Placement, ScheduleProblem
from servitwin.formats.read_plan import PlacedAt, ReadPlan, gathered

_STATES = {
    "waiting": (1, "NotAllowedToStart"),
    "ready": (2, "AllowedToStart"),
    "running": (3, "Running"),
    "ended": (5, "Ended"),
}
_BEGUN = frozenset({3, 4, 5, 6})  # running, interrupted, ended, aborted


def job_list(problem: ScheduleProblem, placements: Sequence[Placement], now: int) -> list[dict[str, Any]]:
    """Every operation as ``ISA95JobOrderAndStateDataType``, in order of start."""
    operations = {(o.id, s.id): (o, s) for o in problem.orders for s in o.operations}
    return [_with_state(*operations[p.key], p, now) for p in placements if p.key in operations]


def _with_state(order: Order, operation: Operation, p: Placement, now: int) -> dict[str, Any]:
    word = (
        "ended" if p.started and p.end <= now else "running" if p.started else "ready" if p.begin <= now else "waiting"
    )
    number, text = _STATES[word]
    state = {"BrowsePath": text, "StateText": {"Text": text}, "StateNumber": number}
    return {"JobOrder": job_order(order, operation, p), "State": [state]}


def job_order(order: Order, operation: Operation, p: Placement) -> dict[str, Any]:
    """One operation as ``ISA95JobOrderDataType``."""
    mode = next((m for m in operation.modes if m.machine == p.machine), None)
    found: dict[str, Any] = {
        "JobOrderID": f"{p.order}/{p.operation}",
        "Description": [{"Text": operation.title or f"{order.product} {p.operation}".strip()}],
        "WorkMasterID": [{"ID": f"{order.product or order.id}/{p.operation}"}],
        "StartTime": format_instant(p.start),
        "EndTime": format_instant(p.end),
        "Priority": min(32767, order.weight),
        "JobOrderParameters": [
            {"ID": "quantity", "Value": order.quantity},
            {"ID": "setup_seconds", "Value": p.setup / 1e9, "EngineeringUnits": {"DisplayName": {"Text": "s"}}},
            *([{"ID": "due", "Value": format_instant(order.due)}] if order.due is not None else []),
        ],
        "EquipmentRequirements": [{"ID": p.machine, "EquipmentUse": "production", "Quantity": "1"}],
    }
    if p.crew:
        skill = mode.skill if mode is not None else ""
        person: dict[str, Any] = {"ID": p.crew, "Quantity": "1"}
        if skill:
            person["Properties"] = [{"ID": "skill", "Value": skill}]
        found["PersonnelRequirements"] = [person]
    if operation.needs:
        found["MaterialRequirements"] = [
            {"MaterialDefinitionID": n.material, "MaterialUse": "Consumed", "Quantity": str(n.amount)}
            for n in operation.needs
        ]
    return found


def plan_of_job_list(jobs: object) -> ReadPlan:
    """Where a job list says that operations are: what :func:`job_list` writes, read back.

    ``ISA95JobOrderDataType`` without a state is read as well; its operation has not begun.

    Raises:
        InvalidInputError: ``job-list:...``, all faults at once, each with the number of its job.
    """
    if not isinstance(jobs, list):
        raise InvalidInputError(Fault("job-list:shape", "A job list is a JSON array", "See OPC 10031-4", "jobs"))
    faults: list[Fault] = []
    found = []
    for n, entry in enumerate(jobs):
        where = f"jobs[{n}]"
        try:
            found.append(PlacedAt(_placed(entry), where))
        except InvalidInputError as e:
            faults.append(msgspec.structs.replace(e.fault, where=f"{where}.{e.fault.where}".rstrip(".")))
    return gathered(found, faults)


def _placed(entry: object) -> Placement:
    job = entry.get("JobOrder", entry) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(job, dict):
        raise InvalidInputError(Fault("job-list:shape", "This is no job order", "Give an object"))
    order, slash, operation = str(job.get("JobOrderID", "")).rpartition("/")
    machine = _first_id(job, "EquipmentRequirements")
    if not slash or not order or not operation or not machine:
        hint = "JobOrderID is order/operation, EquipmentRequirements names the machine first"
        raise InvalidInputError(Fault("job-list:incomplete", "It lacks its order, operation or machine", hint))
    times = []
    for name in ("StartTime", "EndTime"):
        try:
            times.append(parse_instant(str(job.get(name, ""))))
        except InvalidInputError as e:
            raise InvalidInputError(msgspec.structs.replace(e.fault, where=name)) from None
    start, end = times
    crew = _first_id(job, "PersonnelRequirements")
    return Placement(order, operation, machine, start, end, _setup(job), crew, _begun(entry))


def _first_id(job: Mapping[str, Any], name: str) -> str:
    listed = job.get(name)
    first = listed[0] if isinstance(listed, list) and listed else None
    return str(first.get("ID", "")) if isinstance(first, dict) else ""


def _setup(job: Mapping[str, Any]) -> int:
    listed = job.get("JobOrderParameters")
    known = {x.get("ID"): x.get("Value") for x in listed or () if isinstance(x, dict)} if listed is not None else {}
    seconds = known.get("setup_seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        hint = "Zero or more seconds, as a number"
        raise InvalidInputError(
            Fault("job-list:setup", f"setup_seconds is {seconds!r:.40}", hint, "JobOrderParameters")
        )
    return round(seconds * NS)


def _begun(entry: Mapping[str, Any]) -> bool:
    states = entry.get("State")
    numbers = [s.get("StateNumber") for s in states if isinstance(s, dict)] if isinstance(states, list) else []
    return any(n in _BEGUN for n in numbers)
