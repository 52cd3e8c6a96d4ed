"""Which services run on which twins, with which parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.service_ports import ServiceHost

_SETTING = "service-assignments"

_LISTS_OF_SIGNALS = ("signals", "settings")  # parameters that every service uses in this sense


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A service that runs on a twin with parameters, from an instant on."""

    service: str
    twin: str  # uid
    since: int
    parameters: dict[str, Any] = {}

    @property
    def parameters_key(self) -> str:
        """Canonical text of the parameters: outcomes of other parameters are other outcomes."""
        return msgspec.json.encode(self.parameters, order="deterministic").decode()


def assignments(records: Records) -> list[Assignment]:
    """All services that are to run."""
    text = records.setting(_SETTING)
    return msgspec.json.decode(text, type=list[Assignment]) if text else []


def assign_service(
    records: Records, registry: Registry, host: ServiceHost, assignment: Assignment
) -> Assignment:  # fmt: skip
    """Let a service run on a twin; the same one with other parameters runs beside it.

    Raises:
        NotFoundError: ``service:unknown``, ``twin:unknown``.
        InvalidInputError: what the service finds wrong with the parameters.
    """
    if assignment.service not in host.manifests():
        raise NotFoundError(
            Fault("service:unknown", f"No service {assignment.service!r} is installed", "See GET /services", "service")
        )
    if registry.by_uid(assignment.twin) is None:
        raise NotFoundError(Fault("twin:unknown", f"No twin {assignment.twin!r}", "See GET /twins", "twin"))
    faults = host.check(assignment.service, assignment.parameters) or _unknown_signals(registry, assignment)
    if faults:
        raise InvalidInputError(faults)
    with records.together("services"):
        kept = [a for a in assignments(records) if _key(a) != _key(assignment)]
        keep_assignments(records, [*kept, assignment])
    return assignment


def _unknown_signals(registry: Registry, assignment: Assignment) -> list[Fault]:
    """Signals named in lists that the machine does not have: the service would wait for them for ever."""
    known = registry.signals(assignment.twin, assignment.since)
    if not known:
        return []
    hint = f"It has {', '.join(sorted(known))}"[:400]
    lists = {field: assignment.parameters.get(field) for field in _LISTS_OF_SIGNALS}
    return [
        Fault("signal:unknown", f"The machine has no signal {name[:80]!r}", hint, f"{field}[{n}]")
        for field, named in lists.items()
        if isinstance(named, list)
        for n, name in enumerate(named)
        if isinstance(name, str) and name not in known
    ]


def keep_assignments(records: Records, wanted: Sequence[Assignment]) -> None:
    """These services are to run, and no others."""
    records.set_setting(_SETTING, msgspec.json.encode(wanted).decode())


def withdraw_service(records: Records, service: str, twin: str) -> int:
    """Let a service run no longer on a twin; its outcomes stay. Returns how many assignments ended."""
    with records.together("services"):
        before = assignments(records)
        kept = [a for a in before if (a.service, a.twin) != (service, twin)]
        keep_assignments(records, kept)
    return len(before) - len(kept)


def _key(a: Assignment) -> tuple[str, str, str]:
    return a.service, a.twin, a.parameters_key
