"""How many live messages ingest tells in a round: all that are due, until history needs the cores."""

from __future__ import annotations

from servitwin.domain.instant import NS

# Live messages a round of 5 ms. A fleet that sends ten thousand messages a second and more, or batches with as much
# work in them, is told of less often (each time the latest): history has the cores then.
MOST, MOST_LOADED = 100, 5
LOADED_PER_S, LOADED_VALUES_PER_S = 10_000, 400_000
_LOOK_EVERY = NS // 4


class LivePace:
    """Judges by the rate at which messages come in.

    What waits for its commit says nothing: three seconds between two commits are 15 000 messages at 5 000 a second,
    which is no load.
    """

    def __init__(self, now: int) -> None:
        self._looked, self._messages, self._values, self._most = now, 0, 0, MOST

    def most(self, now: int, messages: int, values: int) -> int:
        """Live messages for the round at ``now`` (ns), after so many messages and values since the start."""
        passed = now - self._looked
        if passed >= _LOOK_EVERY:
            loaded = (messages - self._messages) * NS > LOADED_PER_S * passed
            loaded |= (values - self._values) * NS > LOADED_VALUES_PER_S * passed
            self._looked, self._messages, self._values = now, messages, values
            self._most = MOST_LOADED if loaded else MOST
        return self._most
