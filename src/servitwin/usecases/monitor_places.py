"""Where monitors stand, as it is kept: what was observed that still counts, and each monitor."""

from __future__ import annotations

import msgspec

from servitwin.domain.observation import Cut, Observation
from servitwin.domain.requirement import Requirement
from servitwin.domain.state_time import Gap
from servitwin.domain.state_time_follow import Followed
from servitwin.proof.violations import Violations


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


def decode_place(body: bytes) -> SavedTwin | None:
    """A place that was kept; None if another version of servitwin wrote it."""
    try:
        return msgspec.msgpack.decode(body, type=SavedTwin)
    except msgspec.ValidationError:
        return None


def decode_cut(text: str) -> Cut:
    """The cut that was kept with a place; empty if there was none."""
    return msgspec.json.decode(text, type=dict[int, int], strict=False)
