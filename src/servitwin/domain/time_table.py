"""State intervals by columns: a year of ten thousand intervals is sorted and summed as arrays, not one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Int64s
from servitwin.domain.state_time import State, StateInterval

Codes = npt.NDArray[np.int32]
STATES: tuple[State, ...] = tuple(State)
_NUMBER = {state: n for n, state in enumerate(STATES)}


@dataclass(slots=True, eq=False)
class TimeTable:
    """Intervals that follow each other, in order of time. Texts are numbers into ``names`` (0 is "")."""

    start: Int64s
    end: Int64s
    state: Codes
    cause: Codes
    party: Codes
    word: Codes
    reason: Codes
    names: tuple[str, ...]

    @staticmethod
    def of(intervals: Sequence[StateInterval]) -> TimeTable:
        """The same intervals as columns."""
        numbers: dict[str, int] = {"": 0}

        def codes(texts: Sequence[str]) -> Codes:
            return np.array([numbers.setdefault(t, len(numbers)) for t in texts], np.int32)

        return TimeTable(
            np.array([i.start for i in intervals], np.int64),
            np.array([i.end for i in intervals], np.int64),
            np.array([_NUMBER[i.state] for i in intervals], np.int32),
            codes([i.cause for i in intervals]),
            codes([i.party for i in intervals]),
            codes([i.word for i in intervals]),
            codes([i.reason for i in intervals]),
            tuple(numbers),
        )

    def then(self, after: TimeTable) -> TimeTable:
        """These intervals and those that follow them, as one where the last goes on with everything the same."""
        if not len(self.start) or not len(after.start):
            return after if len(after.start) else self
        numbers = {name: n for n, name in enumerate(self.names)}
        place = np.array([numbers.setdefault(name, len(numbers)) for name in after.names], np.int32)
        mine = (self.state, self.cause, self.party, self.word, self.reason)
        texts = (after.cause, after.party, after.word, after.reason)
        theirs = (after.state, *(place[column] for column in texts))
        goes_on = self.end[-1] == after.start[0] and all(a[-1] == b[0] for a, b in zip(mine, theirs, strict=True))
        first = 1 if goes_on else 0
        end = self.end[:-1] if goes_on else self.end
        state, cause, party, word, reason = (
            np.concatenate([a, b[first:]]) for a, b in zip(mine, theirs, strict=True)
        )  # fmt: skip
        start = np.concatenate([self.start, after.start[first:]])
        return TimeTable(
            start, np.concatenate([end, after.end]), state, cause, party, word, reason, tuple(numbers)
        )  # fmt: skip

    def number(self, name: str) -> int:
        """The number of a text, or -1 where no interval has it."""
        return self.names.index(name) if name in self.names else -1

    def covering(self, start: int, end: int) -> TimeTable:
        """The intervals that cut [start, end), clipped to it; what they leave open becomes unknown time."""
        found = self.clipped(start, end)
        before = np.concatenate([[start], found.end])
        after = np.concatenate([found.start, [end]])
        holes = np.flatnonzero(after > before)
        if not len(holes):
            return found
        order = np.argsort(np.concatenate([found.start, before[holes]]), kind="stable")
        names = (*found.names, "no-data") if "no-data" not in found.names else found.names
        count = len(holes)

        def filled(column: Codes, value: int) -> Codes:
            whole: Codes = np.concatenate([column, np.full(count, value, np.int32)])[order]
            return whole

        return TimeTable(
            np.concatenate([found.start, before[holes]])[order],
            np.concatenate([found.end, after[holes]])[order],
            filled(found.state, _NUMBER[State.UNKNOWN]),
            filled(found.cause, 0),
            filled(found.party, 0),
            filled(found.word, 0),
            filled(found.reason, names.index("no-data")),
            names,
        )

    def take(self, index: npt.NDArray[np.intp], start: Int64s, end: Int64s) -> TimeTable:
        """Pieces of the intervals at ``index``, each with its own start and end."""
        return TimeTable(
            start, end, self.state[index], self.cause[index], self.party[index], self.word[index], self.reason[index],
            self.names,
        )  # fmt: skip

    def clipped(self, start: int, end: int) -> TimeTable:
        """The intervals that cut [start, end), clipped to it."""
        index = np.flatnonzero((self.end > start) & (self.start < end))
        return self.take(index, np.maximum(self.start[index], start), np.minimum(self.end[index], end))
