"""Observations in CSV, as ``servitwin export --form csv`` writes them or a table of time, signal and value."""

from __future__ import annotations

import csv
import io
import re
from typing import NamedTuple

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant

_VALUES = ("value", "number", "text", "flag")
_MOST_FAULTS = 20
_NANOSECONDS = re.compile(r"-?[0-9]{1,19}\Z", re.ASCII)


class Observed(NamedTuple):
    """One row; no value is UNAVAILABLE."""

    time: int
    signal: str
    value: str | None


def read_observations(text: str, file: str | None = None) -> list[Observed]:
    """All rows. Columns ``time`` (ns or RFC 3339), ``signal``, and ``value`` or ``number``, ``text``, ``flag``.

    Raises:
        InvalidInputError: ``csv:columns``, ``csv:row``, ``time:...``, with the line.
    """
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line and not line.startswith("#")), len(lines))
    rows = csv.reader(io.StringIO("\n".join(lines[first:])))
    header = next(rows, [])
    places = [header.index(v) for v in _VALUES if v in header]
    if "time" not in header or "signal" not in header or not places:
        hint = "Begin with a line like time,signal,value"
        raise InvalidInputError(Fault("csv:columns", "The columns are not named", hint, line=first + 1, file=file))
    at_time, at_signal = header.index("time"), header.index("signal")
    found: list[Observed] = []
    faults: list[Fault] = []
    for row in rows:
        line = first + rows.line_num
        if not row:
            continue
        if len(row) != len(header):
            faults.append(Fault("csv:row", f"{len(row)} columns instead of {len(header)}", line=line, file=file))
        else:
            try:
                time = int(row[at_time]) if _NANOSECONDS.match(row[at_time]) else parse_instant(row[at_time])
            except InvalidInputError as e:
                faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, line=line, file=file))
            else:
                value = next((row[p] for p in places if row[p]), None)
                found.append(Observed(time, row[at_signal], None if value == "UNAVAILABLE" else value))
        if len(faults) >= _MOST_FAULTS:
            break
    if faults:
        raise InvalidInputError(faults)
    return found
