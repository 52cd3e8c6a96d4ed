"""Job sheets: what a technician has in hand for a work order, and what comes back: steps ticked, parts used, proof."""

from __future__ import annotations

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.maintenance_task import MaintenanceTask, PartNeed, Step


class Tick(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of the procedure that was done, by whom and when (ns UTC), with what was measured or seen."""

    step: int
    by: str
    at: int
    note: str = ""


class UsedPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """Pieces that were taken from the shelf, by whom and when (ns UTC)."""

    part: str
    quantity: int
    by: str
    at: int


class JobSheet(msgspec.Struct, frozen=True, omit_defaults=True):
    """The sheet of one work order; its id is the order's.

    Attributes:
        task, recommendation: what it was opened for.
        procedure, planned_parts, documents: as the task said when the order was opened.
        case: case that the work is to mend; ``proof``: address of the proof file or statement of its repair.
    """

    order: str
    twin: str
    component: str
    title: str
    technician: str
    task: str = ""
    recommendation: str = ""
    procedure: tuple[Step, ...] = ()
    planned_parts: tuple[PartNeed, ...] = ()
    documents: tuple[str, ...] = ()
    ticks: tuple[Tick, ...] = ()
    used: tuple[UsedPart, ...] = ()
    case: str = ""
    proof: str = ""
    note: str = ""
    closed_at: int = 0
    closed_by: str = ""


def sheet_of(task: MaintenanceTask, id: str, order: str, technician: str, recommendation: str = "") -> JobSheet:
    """A fresh sheet for an order on a task."""
    return JobSheet(
        order, task.twin, task.component, task.title, technician, id, recommendation, task.procedure, task.parts,
        task.documents,
    )  # fmt: skip


def tick(sheet: JobSheet, step: int, by: str, at: int, note: str = "") -> JobSheet:
    """The sheet with a step done; doing it again replaces what was noted.

    Raises:
        ConflictError: ``job-sheet:closed``.
        InvalidInputError: ``job-sheet:step-unknown``.
    """
    _open(sheet)
    if not 1 <= step <= len(sheet.procedure):
        message = f"The procedure has {len(sheet.procedure)} steps, not step {step}"
        raise InvalidInputError(Fault("job-sheet:step-unknown", message, "Count from 1", "step"))
    others = tuple(t for t in sheet.ticks if t.step != step)
    ticks = tuple(sorted((*others, Tick(step, by, at, note)), key=lambda t: t.step))
    return msgspec.structs.replace(sheet, ticks=ticks)


def use_part(sheet: JobSheet, part: str, quantity: int, by: str, at: int) -> JobSheet:
    """The sheet with pieces used.

    Raises:
        ConflictError: ``job-sheet:closed``.
        InvalidInputError: ``job-sheet:quantity-invalid``.
    """
    _open(sheet)
    if not 1 <= quantity <= 10_000:
        message = f"{quantity} pieces of {part}"
        raise InvalidInputError(Fault("job-sheet:quantity-invalid", message, "1 to 10 000", "quantity"))
    return msgspec.structs.replace(sheet, used=(*sheet.used, UsedPart(part, quantity, by, at)))


def close_sheet(sheet: JobSheet, by: str, at: int, case: str = "", proof: str = "", note: str = "") -> JobSheet:
    """The sheet at its end: every critical step is ticked, or it cannot end.

    Raises:
        ConflictError: ``job-sheet:closed``, ``job-sheet:step-open`` for each critical step that is not done.
    """
    _open(sheet)
    done = {t.step for t in sheet.ticks}
    missing = [
        Fault("job-sheet:step-open", f"Step {n} is not done: {s.text}", "Do it, and tick it", f"procedure[{n}]")
        for n, s in enumerate(sheet.procedure, 1)
        if s.critical and n not in done
    ]
    if missing:
        raise ConflictError(missing)
    return msgspec.structs.replace(sheet, closed_at=at, closed_by=by, case=case, proof=proof, note=note)


def _open(sheet: JobSheet) -> None:
    if sheet.closed_at:
        raise ConflictError(Fault("job-sheet:closed", f"The sheet of {sheet.order} is closed", "Open a new order"))
