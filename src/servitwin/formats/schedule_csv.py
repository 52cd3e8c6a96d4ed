"""A plan as a table: one line an operation, times RFC 3339, readable by any spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, format_instant, parse_instant
from servitwin.domain.schedule.problem import Placement

COLUMNS = ("order", "operation", "machine", "start", "end", "setup_s", "crew", "started")


def plan_to_csv(placements: Sequence[Placement]) -> str:
    """The plan as CSV (RFC 4180) with a header."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for p in placements:
        times = (format_instant(p.start), format_instant(p.end))
        writer.writerow(
            (p.order, p.operation, p.machine, *times, f"{p.setup / NS:g}", p.crew, "yes" if p.started else "")
        )
    return out.getvalue()


def plan_of_csv(text: str) -> list[Placement]:
    """What :func:`plan_to_csv` writes, read back.

    Raises:
        InvalidInputError: ``schedule-csv:...`` with the line of each fault.
    """
    rows = csv.reader(io.StringIO(text))
    head = next(rows, [])
    missing = [c for c in COLUMNS[:5] if c not in head]
    if missing:
        hint = f"The first line names the columns {', '.join(COLUMNS)}"
        raise InvalidInputError(Fault("schedule-csv:columns", f"Columns missing: {', '.join(missing)}", hint, line=1))
    found, faults = [], []
    for row in rows:
        if not row:
            continue
        cells = dict(zip(head, row, strict=False))
        try:
            setup = round(float(cells.get("setup_s") or 0) * NS)
            start, end = parse_instant(cells.get("start", "")), parse_instant(cells.get("end", ""))
        except (InvalidInputError, ValueError) as e:
            faults.append(
                Fault("schedule-csv:value", str(e), "Times are RFC 3339, set-ups seconds", line=rows.line_num)
            )
            continue
        started = cells.get("started", "").strip().lower() in {"yes", "true", "1"}
        place = (cells["order"], cells["operation"], cells["machine"])
        found.append(Placement(*place, start, end, setup, cells.get("crew", ""), started))
    if faults:
        raise InvalidInputError(faults)
    return found
