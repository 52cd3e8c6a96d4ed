"""Parameters that the services of time share: where to begin, and how long a window is."""

from __future__ import annotations

from collections.abc import Sequence

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, MINUTE, parse_duration, parse_instant
from servitwin.sdk.service import Parameters


def check_parameters(service: str, parameters: Parameters, allowed: Sequence[str]) -> list[Fault]:
    """Faults of ``from`` and ``every``, and names that the service does not know."""
    faults = [
        Fault(f"{service}:parameter-unknown", f"There is no parameter {name!r}", f"One of {', '.join(allowed)}", name)
        for name in parameters
        if name not in allowed
    ]
    for name, read in (("from", start_of), ("every", every_of)):
        if name in allowed:
            try:
                read(parameters)
            except InvalidInputError as e:
                faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, name))
    return faults


def start_of(parameters: Parameters) -> int | None:
    """``from`` in ns UTC; None: not given."""
    value = parameters.get("from")
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return parse_instant(str(value))


def every_of(parameters: Parameters) -> int:
    """``every`` in ns: length of a window, a day if not given.

    Raises:
        InvalidInputError: ``duration:not-understood``, or ``duration:out-of-range`` below a minute.
    """
    value = parameters.get("every")
    every = DAY if value is None else parse_duration(str(value))
    if every < MINUTE:
        raise InvalidInputError(
            Fault("duration:out-of-range", f"A window of {value!r} is too short", "At least one minute (1m)")
        )
    return every
