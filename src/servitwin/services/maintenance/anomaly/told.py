"""A stretch in words: what a person at the machine reads of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from servitwin.domain.anomaly.stretch import SignalPart, Stretch
from servitwin.domain.finding import FoundSignal
from servitwin.domain.formula.words import shown_unit
from servitwin.domain.signal import SignalDefinition
from servitwin.sdk.finding import ServiceFinding

NAMED = 3  # signals that a sentence names
TOLD_SHARE = 0.1  # and none that has less of it, but for the first one


def rounded(part: SignalPart) -> SignalPart:
    """The part with the six digits that mean anything here."""
    figures = {k: float(f"{v:.6g}") for k, v in msgspec.structs.asdict(part).items() if isinstance(v, float)}
    return msgspec.structs.replace(part, **figures)


def finding_of(
    stretch: Stretch,
    parts: Sequence[SignalPart],
    known: Mapping[str, SignalDefinition],
    likely: Sequence[str],
) -> ServiceFinding:
    """The finding of a stretch; ``parts``: its signals, rounded. ``known``: all signals of the machine by name."""
    first = parts[0].signal if parts else ""
    stuck = stretch.kind == "stuck"
    names = {p.signal: (known[p.signal].title if p.signal in known else "") or p.signal for p in parts}
    text = _stuck(names.get(first, "A signal")) if stuck else _deviates(parts, known, names)
    component = known[first].component if first in known else ""
    hints = tuple(f"{names[first]} would be usual if it were read in {u}: was its unit changed?" for u in likely)
    signals = tuple(
        FoundSignal(p.signal, p.share, p.since, None if stuck else p.farthest, p.value, p.usual) for p in parts
    )
    return ServiceFinding(
        f"anomaly:{stretch.kind}", stretch.start, text, signals, stretch.end, component, group=first,
        hints=hints, about=first if stuck else "",
    )  # fmt: skip


def _stuck(signal: str) -> str:
    return f"{signal} has reported one value for far longer than it ever did: is its sensor stuck?"


def _deviates(parts: Sequence[SignalPart], known: Mapping[str, SignalDefinition], names: Mapping[str, str]) -> str:
    named = [p for n, p in enumerate(parts[:NAMED]) if n == 0 or p.share >= TOLD_SHARE]
    if len(named) > 1:
        listed = ", ".join(f"{names[p.signal]} ({100 * p.share:.0f} %)" for p in named)
        return f"Together these deviate from what was learnt: {listed}"
    if not named:
        return "The machine deviates from what was learnt"
    p = named[0]
    said = f"{names[p.signal]} deviates from what was learnt"
    if p.value is None or p.usual is None:
        return said
    unit = shown_unit(known[p.signal].unit) if p.signal in known else ""
    shown = f" {unit}" if unit else ""
    far = f"({abs(p.farthest):.1f} standard deviations)"
    return f"{said}: {p.value:.4g}{shown} where {p.usual:.4g}{shown} is usual {far}"
