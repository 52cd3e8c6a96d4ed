"""Plans as a job list of ISA-95 in the shape of the OPC UA companion specification (OPC 10031-4, Job Control).

Field names, optional fields and types are those of ``ISA95JobOrderDataType`` and ``ISA95JobOrderAndStateDataType``
(namespace http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/), written as plain JSON: LocalizedText as ``{"Text"}``,
DateTime as RFC 3339, EUInformation as ``{"DisplayName"}``. An operation of a plan is a job order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import format_instant, parse_instant
from servitwin.domain.schedule.problem import Operation, Order, Placement, ScheduleProblem

_STATES = {
    "waiting": (1, "NotAllowedToStart"),
    "ready": (2, "AllowedToStart"),
    "running": (3, "Running"),
    "ended": (5, "Ended"),
}


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


def placements_of(jobs: object) -> list[Placement]:
    """Where a job list says that operations are: what :func:`job_list` writes, read back.

    Raises:
        InvalidInputError: ``job-list:...``, all faults at once.
    """
    if not isinstance(jobs, list):
        raise InvalidInputError(Fault("job-list:shape", "A job list is a JSON array", "See OPC 10031-4", "jobs"))
    faults: list[Fault] = []
    found = []
    for n, entry in enumerate(jobs):
        where = f"jobs[{n}]"
        job = entry.get("JobOrder", entry) if isinstance(entry, dict) else None
        if not isinstance(job, dict):
            faults.append(Fault("job-list:shape", f"{where} is no job order", "Give an object", where))
            continue
        order, slash, operation = str(job.get("JobOrderID", "")).rpartition("/")
        equipment = job.get("EquipmentRequirements") or []
        machine = (
            equipment[0].get("ID", "")
            if isinstance(equipment, list) and equipment and isinstance(equipment[0], dict)
            else ""
        )
        if not slash or not order or not operation or not machine:
            hint = "JobOrderID is order/operation, EquipmentRequirements names the machine first"
            faults.append(Fault("job-list:incomplete", f"{where} lacks its order, operation or machine", hint, where))
            continue
        try:
            start, end = (parse_instant(str(job.get(k, ""))) for k in ("StartTime", "EndTime"))
        except InvalidInputError as e:
            faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, where))
            continue
        parameters = {x.get("ID"): x.get("Value") for x in job.get("JobOrderParameters") or [] if isinstance(x, dict)}
        setup = parameters.get("setup_seconds", 0)
        people = job.get("PersonnelRequirements") or []
        crew = str(people[0].get("ID", "")) if people and isinstance(people[0], dict) else ""
        length = round(float(setup) * 1e9) if isinstance(setup, int | float) else 0
        found.append(Placement(order, operation, str(machine), start, end, length, crew))
    if faults:
        raise InvalidInputError(faults)
    return found
