"""MTConnect conditions: a set of active entries per data item, keyed by native code (MTConnect Part 2, Condition)."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["normal", "warning", "fault", "unavailable"]
_SEVERITIES: dict[str, Severity] = {
    "normal": "normal",
    "warning": "warning",
    "fault": "fault",
    "unavailable": "unavailable",
}


class Condition(msgspec.Struct, frozen=True):
    """One condition entry as the SHDR adapter protocol writes it: ``level|code|severity|qualifier|text``."""

    level: Severity
    native_code: str = ""
    native_severity: str = ""
    qualifier: str = ""
    text: str = ""


def parse_condition(text: str) -> Condition | None:
    """Read ``Warning|433|||SAME PROGRAM EXISTS``; None if the level is no MTConnect level."""
    parts = [*text.split("|", 4), "", "", "", ""]
    level = _SEVERITIES.get(parts[0].strip().lower())
    if level is None:
        return None
    return Condition(level, parts[1].strip(), parts[2].strip(), parts[3].strip(), parts[4].strip())


def format_condition(condition: Condition) -> str:
    """The text that :func:`parse_condition` reads back."""
    c = condition
    return "|".join((c.level, c.native_code, c.native_severity, c.qualifier, c.text))


def apply_condition(active: dict[str, Condition], new: Condition) -> dict[str, Condition]:
    """The active set after ``new``: Normal without a code and Unavailable clear all, Normal with a code clears it."""
    if new.level == "unavailable" or (new.level == "normal" and not new.native_code):
        return {}
    rest = {code: c for code, c in active.items() if code != new.native_code}
    if new.level != "normal":
        rest[new.native_code] = new
    return rest
