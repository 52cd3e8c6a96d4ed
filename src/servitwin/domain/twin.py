"""Twins: the digital side of one asset, with its identity, type, owners and place, each with dates."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

TWIN_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z", re.ASCII)
TwinKind = Literal["component", "machine", "robot", "line", "factory", "fleet", "ecosystem"]
Function = Literal["sum", "mean", "min", "max", "count", "weighted_mean"]


class Dated(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that held from ``start`` (inclusive, ns UTC) until ``end`` (exclusive; None: still)."""

    value: str
    start: int
    end: int | None = None

    def holds(self, at: int) -> bool:
        """Whether the value holds at that instant."""
        return self.start <= at and (self.end is None or at < self.end)


class Aggregate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value of a group twin computed from its children: ``power: {sum: children.power, max_age: 10s}``.

    Attributes:
        name: signal name of the group twin.
        signal: signal read from each child (a child group's own aggregate counts).
        missing: ``partial``: computed from the fresh children, with coverage; ``unknown``: none if one is missing.
        max_age: nanoseconds after which a child's value no longer counts; None: never.
        weight: signal of each child used as weight by ``weighted_mean``.
    """

    name: str
    function: Function
    signal: str
    unit: str = ""
    max_age: int | None = None
    missing: Literal["partial", "unknown"] = "partial"
    weight: str = ""
    title: str = ""


class Twin(msgspec.Struct, frozen=True, omit_defaults=True):
    """One twin. ``uid`` (UUIDv7) is permanent and the key in history; ``id`` is unique on the node, never reused.

    ``type`` dates the references ``name@version`` that held; the one in force decides how data are read.
    ``commissioned``: observations before it are impossible and go to quarantine (None: not known).
    ``retired``: from this instant on it is part of nothing and not listed; its history and id stay (None: in use).
    ``simulates``: ``name@version`` of the controller whose model runs instead of an asset; empty: it is a real one.
    """

    uid: str
    id: str
    kind: TwinKind
    title: str = ""
    serial: str = ""
    dtid: str = ""
    created: int = 0
    commissioned: int | None = None
    type: tuple[Dated, ...] = ()
    owner: tuple[Dated, ...] = ()
    place: tuple[Dated, ...] = ()
    parent: tuple[Dated, ...] = ()  # ids of the twin it is part of
    calendar: str = ""
    aggregates: tuple[Aggregate, ...] = ()
    registered_from: str = ""
    retired: int | None = None
    simulates: str = ""

    def type_at(self, at: int) -> str | None:
        """``name@version`` in force at that instant; before the first date the first one is used."""
        return value_at(self.type, at) or (self.type[0].value if self.type else None)

    def owner_at(self, at: int) -> str | None:
        """Party id of the owner at that instant, or None."""
        return value_at(self.owner, at)


def value_at(history: tuple[Dated, ...], at: int) -> str | None:
    """The value that held at that instant; of several the one that started last."""
    best: Dated | None = None
    for entry in history:
        if entry.holds(at) and (best is None or entry.start >= best.start):
            best = entry
    return best.value if best else None
