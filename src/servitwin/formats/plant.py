"""What a plant file says, as data: before it becomes twins in the records."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.domain.calendar import Calendar
from servitwin.domain.party import Party
from servitwin.domain.requirement import Requirement
from servitwin.domain.twin import Aggregate, Dated, TwinKind

BEGINNING = 0  # ns UTC: what a file gives no first day holds from 1970 on


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value with dates, or one without (``dated`` false: it holds now, since when is not said)."""

    entries: tuple[Dated, ...] = ()
    dated: bool = False


class PlantTwin(msgspec.Struct, frozen=True, omit_defaults=True):
    """A twin as a plant file describes it; it has no uid yet."""

    id: str
    kind: TwinKind
    title: str = ""
    serial: str = ""
    dtid: str = ""
    commissioned: int | None = None
    type: History = History()
    owner: History = History()
    place: History = History()
    parent: History = History()
    calendar: str = ""
    aggregates: tuple[Aggregate, ...] = ()
    requirements: tuple[Requirement, ...] = ()


class Connection(msgspec.Struct, frozen=True, omit_defaults=True):
    """A configured connector. ``config`` is what the connector's own ``check`` has accepted.

    ``twins``: ids it speaks for (empty: any). ``reads``: ids whose observations it may hear on the bus.
    """

    name: str
    connector: str
    config: dict[str, Any] = {}
    twins: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


class Plant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole plant file without faults. Twins come parents first."""

    name: str
    title: str = ""
    parties: tuple[Party, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    twins: tuple[PlantTwin, ...] = ()
    connections: tuple[Connection, ...] = ()
