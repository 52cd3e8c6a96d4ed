"""What one round over all assignments of services has in common, and what of it is news to one of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.machine_change import MachineChange, change_instant
from servitwin.domain.observation import Cut
from servitwin.usecases.machine_changes import Changes
from servitwin.usecases.ports import HistoryReader


class Stood(msgspec.Struct, frozen=True):
    """Where the last step of an assignment stands: its end, its cut as text, and the changes it was told of."""

    end: int
    cut: str
    changes: frozenset[str]


class Round:
    """What holds for all assignments of one round; many steps were made at one cut, which is compared once."""

    def __init__(self, history: HistoryReader, changes: Changes, cut: Cut, now: int) -> None:
        self._history, self._since = history, dict[str, dict[str, tuple[int, int]]]()
        self.changes, self.cut, self.now = changes, cut, now

    def changed_since(self, cut: str) -> dict[str, tuple[int, int]]:
        """Twins with rows that came after a cut."""
        found = self._since.get(cut)
        if found is None:
            found = self._since[cut] = self._history.changed_since(_cut_of(cut))
        return found


def earliest_news(twin: str, changes: Sequence[MachineChange], stood: Stood, round: Round) -> int | None:
    """The earliest instant before the end of the last step of which something is known that was not then."""
    late = round.changed_since(stood.cut).get(twin)
    news = [] if late is None else [late[0]]
    now_known = {c.id for c in changes if c.at < stood.end}
    news += [change_instant(id) for id in now_known ^ stood.changes]
    return min((at for at in news if at < stood.end), default=None)


def _cut_of(text: str) -> Cut:
    return msgspec.json.decode(text, type=dict[int, int])
