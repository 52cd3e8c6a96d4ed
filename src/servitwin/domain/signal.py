"""Signals: what a machine type can report, in which unit, and how often."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

SIGNAL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}\Z", re.ASCII)
SignalType = Literal["number", "text", "flag", "condition"]


class Reporting(msgspec.Struct, frozen=True, omit_defaults=True):
    """How often a signal speaks. A gap starts ``max_gap`` after the last observation.

    ``max_gap`` in nanoseconds; None: the signal may be silent for ever (it holds until it changes).
    """

    mode: Literal["periodic", "on-change"] = "on-change"
    max_gap: int | None = None


class SignalDefinition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signal of a machine type.

    Attributes:
        name: full name, unique in the type: component path and key joined by dots, unless the file names it.
        type: number, text, flag or condition (MTConnect condition set).
        unit: UCUM code (``Cel``, ``kW``, ``1`` for none); empty for text, flag and condition.
        semantic: semantic id, ``vocabulary:term`` (``mtconnect:EXECUTION``) or an IRI.
        title: what people read; the name if empty.
        range: normal operating range [low, high] in ``unit``.
        limits: physical range; a value outside is impossible and goes to quarantine.
        accuracy: half-width in ``unit`` inside which two values cannot be told apart.
        values: the words a text signal may take; empty: any.
        component: path of the component it belongs to; empty: the machine itself.
        owner: party id that owns the signal's data quality; empty: the twin's owner.
    """

    name: str
    type: SignalType = "number"
    unit: str = ""
    semantic: str = ""
    title: str = ""
    range: tuple[float, float] | None = None
    limits: tuple[float, float] | None = None
    accuracy: float | None = None
    values: tuple[str, ...] = ()
    reporting: Reporting = Reporting()
    component: str = ""
    owner: str = ""
