"""Signals of a twin that no machine type describes: what it has ever said, with no unit, for none is known."""

from __future__ import annotations

from servitwin.domain.signal import SignalDefinition, SignalType
from servitwin.domain.twin import Twin
from servitwin.web.api.parts import WebParts


def inferred_signals(parts: WebParts, twin: Twin) -> dict[str, SignalDefinition]:
    """By name; nothing for a twin that has, or once had, a type."""
    if twin.type:
        return {}
    return {
        last.signal: SignalDefinition(last.signal, _type_of(last.value))
        for last in parts.history.last([twin.uid])
        if not last.signal.startswith("_")
    }


def _type_of(value: float | str | bool | None) -> SignalType:
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"
