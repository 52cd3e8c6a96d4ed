"""A plan as a table: one line an operation, times RFC 3339, readable by any spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, format_instant, parse_instant
from servitwin.domain.schedule.problem import Placement
from servitwin.formats.read_plan import PlacedAt, ReadPlan, gathered

COLUMNS = ("order", "operation", "machine", "start", "end", "setup_s", "crew", "started")
_NEEDED = COLUMNS[:5]
_YES, _NO = {"yes", "true", "1"}, {"", "no", "false", "0"}


def plan_to_csv(placements: Sequence[Placement]) -> str:
    """The plan as CSV (RFC 4180) with a header."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for p in placements:
        times = (format_instant(p.start), format_instant(p.end), f"{Decimal(p.setup) / NS:f}")
        writer.writerow((p.order, p.operation, p.machine, *times, p.crew, "yes" if p.started else ""))
    return out.getvalue()


def plan_of_csv(text: str) -> ReadPlan:
    """What :func:`plan_to_csv` writes, read back; also with semicolons, as spreadsheets of some countries write them.

    Raises:
        InvalidInputError: ``schedule-csv:...``, all faults at once, each with its line.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in first and "," not in first else ",", strict=True)
    faults: list[Fault] = []
    found: list[PlacedAt] = []
    try:
        head = [name.strip() for name in next(rows, [])]
        faults += _head_faults(head)
        for row in rows if not faults else ():
            if any(cell.strip() for cell in row):
                line = rows.line_num
                try:
                    found.append(PlacedAt(_placement(head, row), f"line {line}", line))
                except (InvalidInputError, _BadCellError) as e:
                    faults.append(_at(e, line))
    except csv.Error as e:
        hint = "Write CSV after RFC 4180: quotes come in pairs, and the file is whole"
        faults.append(Fault("schedule-csv:not-csv", f"This is no CSV: {e}", hint, line=rows.line_num))
    return gathered(found, faults)


class _BadCellError(ValueError):
    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.hint = code, hint


def _at(e: InvalidInputError | _BadCellError, line: int) -> Fault:
    if isinstance(e, _BadCellError):
        return Fault(f"schedule-csv:{e.code}", str(e), e.hint, line=line)
    return Fault(e.fault.code, e.fault.message, e.fault.hint, line=line)


def _head_faults(head: Sequence[str]) -> list[Fault]:
    hint = f"The first line names the columns {', '.join(COLUMNS)}"
    missing = [c for c in _NEEDED if c not in head]
    twice = sorted({c for c in head if c and head.count(c) > 1})
    faults = []
    if missing:
        faults.append(Fault("schedule-csv:columns", f"Columns missing: {', '.join(missing)}", hint, line=1))
    if twice:
        faults.append(Fault("schedule-csv:columns", f"Columns twice: {', '.join(twice)}", hint, line=1))
    return faults


def _placement(head: Sequence[str], row: Sequence[str]) -> Placement:
    if len(row) != len(head):
        message = f"The line has {len(row)} cells, the first line {len(head)}"
        raise _BadCellError("cells", message, "Give each column a cell; put a cell with a comma in quotes")
    cells = {name: cell.strip() for name, cell in zip(head, row, strict=True)}
    empty = [c for c in _NEEDED if not cells[c]]
    if empty:
        raise _BadCellError("empty", f"Empty: {', '.join(empty)}", "Fill the cell, or take the line out")
    start, end = parse_instant(cells["start"]), parse_instant(cells["end"])
    return Placement(
        cells["order"], cells["operation"], cells["machine"], start, end, _seconds(cells), cells.get("crew", ""),
        _started(cells),
    )  # fmt: skip


def _seconds(cells: Mapping[str, str]) -> int:
    text = cells.get("setup_s", "")
    try:
        seconds = Decimal(text or "0")
        if not seconds.is_finite() or seconds < 0 or seconds * NS % 1:
            raise InvalidOperation
    except InvalidOperation:
        message = f"setup_s is {text[:40]!r}, which is no number of seconds"
        raise _BadCellError("value", message, "Zero or more, with at most nine decimals and a point") from None
    return int(seconds * NS)


def _started(cells: Mapping[str, str]) -> bool:
    word = cells.get("started", "").lower()
    if word not in _YES | _NO:
        raise _BadCellError("value", f"started is {word[:40]!r}", "Write yes, or leave it empty")
    return word in _YES
