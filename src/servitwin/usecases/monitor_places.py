"""Where monitors stand, as it is kept: what was observed that still counts, and each monitor."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from servitwin.domain.formula.tree import STATE, signals_of
from servitwin.domain.observation import Cut, Observation
from servitwin.domain.requirement import Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap
from servitwin.domain.state_time_follow import Followed
from servitwin.proof.monitor.feed import SignalSettings
from servitwin.proof.monitor.online import OnlineMonitor
from servitwin.proof.violations import Violations
from servitwin.usecases.requirement_set import Demand


class SavedWatch(msgspec.Struct):
    """Where one requirement's monitor stands, what is demanded, and since when (ns).

    Its open violations end where they were last seen if it is not demanded any more.
    """

    digest: str
    monitor: bytes
    violations: Violations
    since: int
    requirement: Requirement
    component: str = ""


class SavedTwin(msgspec.Struct):
    """Where the monitors of one twin stand.

    Attributes:
        watermark: everything before it has been judged (ns).
        since: when it was first watched (ns).
        rows: observations from which everything after the watermark follows.
        gaps: the declared gaps that were counted with.
    """

    watermark: int
    since: int
    type: str
    rows: dict[str, list[Observation]]
    followed: Followed
    watches: dict[str, SavedWatch]
    gaps: list[Gap] = []


def monitor_of(
    demand: Demand, signals: Mapping[str, SignalDefinition], start: int, snapshot: bytes | None
) -> OnlineMonitor:
    """The monitor of a requirement from ``start`` (ns) on, or where a snapshot was taken.

    Raises:
        InvalidInputError: the snapshot is of another formula or version (``monitor:...``).
    """
    assert demand.formula is not None  # what has faults is not watched
    settings = {STATE: SignalSettings()}
    for name in signals_of(demand.formula):
        if name in signals:
            settings[name] = SignalSettings(signals[name].accuracy or 0.0)  # staleness is told by the trace
    return OnlineMonitor(demand.formula, settings, start, snapshot)


def decode_place(body: bytes) -> SavedTwin | None:
    """A place that was kept; None if another version of servitwin wrote it."""
    try:
        return msgspec.msgpack.decode(body, type=SavedTwin)
    except msgspec.ValidationError:
        return None


def decode_cut(text: str) -> Cut:
    """The cut that was kept with a place; empty if there was none."""
    return msgspec.json.decode(text, type=dict[int, int], strict=False)
