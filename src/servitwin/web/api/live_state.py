"""What a twin is doing now, from the live mirror: state, alarms, freshness, values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from servitwin.domain.condition import parse_condition
from servitwin.domain.instant import NS
from servitwin.domain.observation import CONNECTION
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.usecases.live_mirror import ENTRY_SEPARATOR, LiveValue
from servitwin.usecases.look_back import Then
from servitwin.usecases.track_state import CAUSE_SIGNAL, REASON_SIGNAL, STATE_SIGNAL, WORD_SIGNAL
from servitwin.web.api.answers import at
from servitwin.web.api.parts import WebParts

_DERIVED = {STATE_SIGNAL, WORD_SIGNAL, CAUSE_SIGNAL, REASON_SIGNAL}


def state_now(parts: WebParts, twin: Twin) -> dict[str, Any] | None:
    """The canonical state that services publish beside the machine's values; None before the first."""
    values = parts.live.mirror.values(twin.uid)
    found = values.get(STATE_SIGNAL)
    if found is None or not isinstance(found[1], str):
        return None
    return {
        "state": found[1],
        "since": at(found[0]),
        "word": _text(values.get(WORD_SIGNAL)),
        "cause": _text(values.get(CAUSE_SIGNAL)),
        "party": "",
        "reason": _text(values.get(REASON_SIGNAL)),
    }


def state_then(then: Then | None) -> dict[str, Any] | None:
    """The state a twin was in, in the shape of `state_now`; None where its type told of none."""
    if then is None or then.state is None:
        return None
    held = then.state
    return {
        "state": held.state, "since": at(then.since), "word": held.word, "cause": held.cause, "party": held.party,
        "reason": held.reason,
    }  # fmt: skip


def alarms_then(then: Then | None) -> list[dict[str, Any]]:
    """The alarms that were active, in the shape of `active_alarms`."""
    return [
        {"signal": a.signal, "code": a.code, "text": a.text, "severity": a.severity, "from": at(a.start), "to": None}
        for a in (then.alarms if then else ())
    ]


def _text(value: LiveValue | None) -> str:
    return "" if value is None or value[1] is None else str(value[1])


def freshness_s(parts: WebParts, twin: Twin) -> float | None:
    """Seconds since the newest observation of the twin itself was received; None if it has none."""
    newest = max((v[3] for s, v in parts.live.mirror.values(twin.uid).items() if s not in _DERIVED), default=None)
    return None if newest is None else max(0.0, round((parts.now() - newest) / NS, 3))


def active_alarms(parts: WebParts, twin: Twin) -> list[dict[str, Any]]:
    """Active entries of the twin's condition signals: live state holds all of a signal's, one a line."""
    values = parts.live.mirror.values(twin.uid)
    out = []
    for name, signal in parts.registry.signals(twin.uid, parts.now()).items():
        if signal.type != "condition" or name not in values:
            continue
        time, value, _, _ = values[name]
        for line in value.split(ENTRY_SEPARATOR) if isinstance(value, str) else ():
            c = parse_condition(line)
            if c is not None and c.level in ("warning", "fault"):
                alarm = {"signal": name, "code": c.native_code, "text": c.text, "severity": c.level}
                out.append({**alarm, "from": at(time), "to": None})
    return out


def values_now(
    values: Mapping[str, LiveValue], signals: Mapping[str, SignalDefinition], now: int, may_read: Callable[[str], bool]
) -> dict[str, dict[str, Any]]:
    """Latest values with age, unit and whether they are older than their signal's ``max_gap``."""
    out = {}
    for name in (*signals, CONNECTION):
        found, signal = values.get(name), signals.get(name)
        if found is None or not may_read(name):
            continue
        time, value, quality, received = found
        gap = signal.reporting.max_gap if signal else None
        out[name] = {
            "value": value,
            "unit": signal.unit if signal else "",
            "time": at(time),
            "received": at(received),
            "quality": quality,
            "age_s": round((now - time) / NS, 3),
            "range": signal.range if signal else None,
            "stale": gap is not None and now - time > gap,
        }
    return out
