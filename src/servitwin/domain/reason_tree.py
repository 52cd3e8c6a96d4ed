"""The reasons that an operator can tap: the machine type's own, or those that every machine has.

The groups follow VDI 3423 (technical, organisational, maintenance; secondary) and the grounds of availability
contracts, so that each leaf says whose matter it usually is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from servitwin.domain.machine_type import MachineType
from servitwin.domain.reason import ReasonChoice

_TECHNICAL = ReasonChoice(
    "technical",
    "Machine",
    "provider",
    (
        ReasonChoice("electrical", "Electrical fault", "provider"),
        ReasonChoice("mechanical", "Mechanical fault", "provider"),
        ReasonChoice("control", "Control or software", "provider"),
        ReasonChoice("waiting-for-service", "Waiting for service", "provider"),
        ReasonChoice("spare-part", "Waiting for a spare part", "provider"),
    ),
)
_ORGANISATION = ReasonChoice(
    "organisation",
    "Operation",
    "customer",
    (
        ReasonChoice("operator-error", "Operator error", "customer"),
        ReasonChoice("no-operator", "No operator", "customer"),
        ReasonChoice("no-material", "No material", "customer"),
        ReasonChoice("tool-missing", "Tool or fixture missing", "customer"),
        ReasonChoice("no-order", "No order", "customer"),
        ReasonChoice("access-refused", "Service had no access", "customer"),
        ReasonChoice("reported-late", "Reported late", "customer"),
    ),
)
_OUTSIDE = ReasonChoice(
    "outside",
    "From outside",
    "third",
    (
        ReasonChoice("power-failure", "Power failure", "third"),
        ReasonChoice("media", "Air, water or gas", "customer"),
        ReasonChoice("network", "Network", "third"),
        ReasonChoice("force-majeure", "Force majeure", "third"),
    ),
)
_PLANNED = ReasonChoice(
    "planned",
    "Planned work",
    "",
    (
        ReasonChoice("maintenance", "Maintenance", ""),
        ReasonChoice("modification", "Modification", ""),
        ReasonChoice("test", "Test or trial", "customer"),
    ),
)
EVERY_MACHINE: tuple[ReasonChoice, ...] = (_TECHNICAL, _ORGANISATION, _OUTSIDE, _PLANNED)


def choices_of(machine_type: MachineType | None) -> tuple[ReasonChoice, ...]:
    """The reason tree of a machine type; without one of its own that of every machine."""
    own = machine_type.reasons if machine_type is not None else ()
    return own or EVERY_MACHINE


def leaves(tree: Iterable[ReasonChoice]) -> Iterator[ReasonChoice]:
    """What can be chosen: every choice that holds no further ones, in order."""
    for choice in tree:
        if choice.choices:
            yield from leaves(choice.choices)
        else:
            yield choice


def responsible_for(tree: Iterable[ReasonChoice], cause: str) -> str:
    """Whose matter a cause usually is; empty where the tree does not say."""
    return next((choice.responsible for choice in leaves(tree) if choice.code == cause), "")
