"""Signals of a twin that no machine type describes: what it has ever said, with no unit, for none is known."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.domain.observation import LastValue
from servitwin.domain.signal import SignalDefinition, SignalType
from servitwin.domain.twin import Twin
from servitwin.usecases.live_mirror import LiveValue
from servitwin.web.api.parts import WebParts

_FAR = (-(2**62), 2**62)
_FIRST = 100


def inferred_signals(parts: WebParts, twin: Twin) -> dict[str, SignalDefinition]:
    """By name; nothing for a twin that has, or once had, a type."""
    if twin.type:
        return {}
    return {
        last.signal: SignalDefinition(last.signal, _type_of(parts, last))
        for last in parts.history.last([twin.uid])
        if not last.signal.startswith("_")
    }


def inferred_now(twin: Twin, values: Mapping[str, LiveValue]) -> dict[str, SignalDefinition]:
    """The same from live values alone: the answer about now asks no history."""
    if twin.type:
        return {}
    return {
        name: SignalDefinition(name, "flag" if isinstance(v, bool) else "text" if isinstance(v, str) else "number")
        for name, (_, v, *_) in values.items()
        if not name.startswith("_")
    }


def _type_of(parts: WebParts, last: LastValue) -> SignalType:
    value = last.value
    if value is None:  # UNAVAILABLE now: what it said first tells
        first = parts.history.series(last.twin, last.signal, *_FAR, limit=_FIRST)
        return "text" if first.text is not None else "flag" if first.flag is not None else "number"
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"
