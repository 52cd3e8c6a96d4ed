"""Errors are data: a code, what was wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong, told so that the reader can mend it.

    Attributes:
        code: ``noun:what-is-wrong``, stable, for programs (``machine-type:signal-unknown``).
        message: what was wrong, in a sentence for people.
        hint: what to do about it.
        where: path of the faulty value (``components.spindle.signals.temperature.unit``), a topic, or a URL.
        line: 1-based line in the file that was read, if it came from a file.
        column: 1-based column in that line.
        file: name of the file as the user gave it.
    """

    code: str
    message: str
    hint: str = ""
    where: str = ""
    line: int | None = None
    column: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        """One line: place, message, hint and code."""
        place = ":".join(str(p) for p in (self.file, self.line, self.column) if p is not None) or self.where
        lead = f"{place}: " if place else ""
        tail = f" ({self.hint})" if self.hint else ""
        return f"{lead}{self.message}{tail} [{self.code}]"


def shape_fault(code: str, error: msgspec.ValidationError, hint: str, within: str = "") -> Fault:
    """What does not have the shape that was asked for, at its place; ``within``: where it is if that names none."""
    message, _, place = str(error).partition(" - at `$")
    return Fault(code, message, hint, place.strip(".`") or within)


class ServitwinError(Exception):
    """Base of every error that servitwin raises on purpose; carries one or more faults."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("; ".join(str(f) for f in self.faults))

    @property
    def fault(self) -> Fault:
        """The first fault, the one an API answer leads with."""
        return self.faults[0]


class InvalidInputError(ServitwinError):
    """What came in cannot be accepted as it is."""


class NotFoundError(ServitwinError):
    """What was asked for does not exist, or the caller may not know that it exists."""


class ConflictError(ServitwinError):
    """What was asked contradicts what is already there."""


class RefusedError(ServitwinError):
    """The caller is known, and is not permitted to do this."""


class UnavailableError(ServitwinError):
    """A part that is needed does not answer now; the same call may succeed later."""
