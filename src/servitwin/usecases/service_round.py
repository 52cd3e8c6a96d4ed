"""What one round over all assignments of services has in common, and what of it is news to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from servitwin.domain.instant import parse_duration
from servitwin.domain.machine_change import MachineChange, change_instant
from servitwin.domain.observation import Cut, Series
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin
from servitwin.sdk.manifest import Manifest
from servitwin.usecases.assign_service import Assignment
from servitwin.usecases.machine_changes import Changes
from servitwin.usecases.ports import HistoryReader, Records

Pair = tuple[str, str]
Key = tuple[str, ...]


@dataclass
class Ahead:
    """What was read for a group at once: series by key, start and end of the step; snapshots to go on from by key."""

    series: dict[tuple[str | int, ...], dict[Pair, Series]] = field(default_factory=dict)
    snapshots: dict[Key, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """An assignment that is brought up to the present: all of it is judged by what was known at one moment."""

    a: Assignment
    manifest: Manifest
    twin: Twin
    changes: tuple[MachineChange, ...]
    gaps: tuple[Gap, ...]
    cut: Cut
    now: int

    @property
    def watermark(self) -> int:
        """Data before that are taken to be complete now."""
        cadence, lateness = parse_duration(self.manifest.cadence), parse_duration(self.manifest.lateness)
        return (self.now - lateness) // cadence * cadence

    def until(self, start: int) -> int:
        """End of the step that begins at ``start``: the watermark, or the manifest's longest stretch before it."""
        if not self.manifest.stretch:
            return self.watermark
        cadence = parse_duration(self.manifest.cadence)
        longest = max(cadence, parse_duration(self.manifest.stretch))
        return min(self.watermark, start // cadence * cadence + longest)

    @property
    def key(self) -> Key:
        """What its outcomes are kept by."""
        return self.a.service, self.manifest.version, self.a.twin, self.a.parameters_key


class Stood(msgspec.Struct, frozen=True):
    """Where the last step of an assignment stands: its end, its cut as text, and the changes it was told of."""

    end: int
    cut: str
    changes: frozenset[str]


class Round:
    """What holds for all assignments of one round; many steps were made at one cut, which is compared once."""

    def __init__(
        self, history: HistoryReader, changes: Changes, gaps: dict[str, list[Gap]], cut: Cut, now: int
    ) -> None:
        self._history, self._since = history, dict[str, dict[str, tuple[int, int]]]()
        self.changes, self.gaps, self.cut, self.now = changes, gaps, cut, now

    def changed_since(self, cut: str) -> dict[str, tuple[int, int]]:
        """Twins with rows that came after a cut."""
        found = self._since.get(cut)
        if found is None:
            found = self._since[cut] = self._history.changed_since(_cut_of(cut))
        return found


def read_together(
    history: HistoryReader, records: Records, wanted: Mapping[tuple[int, int], Mapping[Key, Sequence[Pair]]], cut: Cut
) -> Ahead:
    """Series and snapshots of many assignments, one question an interval [start, end)."""
    ahead = Ahead()
    for (start, end), pairs in wanted.items():
        read = history.many_series([p for own in pairs.values() for p in own], start, end, cut=cut)
        ahead.series.update({(*key, start, end): {p: read[p] for p in own} for key, own in pairs.items()})
        ahead.snapshots.update(records.snapshots_at(start, {key[2] for key in pairs}))
    return ahead


def earliest_news(twin: str, changes: Sequence[MachineChange], stood: Stood, round: Round) -> int | None:
    """The earliest instant before the end of the last step of which something is known that was not then."""
    late = round.changed_since(stood.cut).get(twin)
    news = [] if late is None else [late[0]]
    now_known = {c.id for c in changes if c.at < stood.end}
    news += [change_instant(id) for id in now_known ^ stood.changes]
    return min((at for at in news if at < stood.end), default=None)


def _cut_of(text: str) -> Cut:
    return msgspec.json.decode(text, type=dict[int, int])
