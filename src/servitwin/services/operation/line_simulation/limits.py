"""What a run may take: it is asked whether it is still wanted, and counts what it has done."""

from __future__ import annotations

from collections.abc import Callable

from servitwin.domain.error import Fault, InvalidInputError

LOOK_EVERY = 0x3FFF
MOST_CLOSED = 2_000_000
MOST_PARTS = 1_000_000  # in the line at once


class Stopped(Exception):  # noqa: N818 - no error: whoever asked for the run wants it no more
    """The run was cancelled, or its time is over."""


class Limits:
    """Of one run that ends at ``end`` seconds.

    Args:
        stop: true ends the run with :class:`Stopped`.
        most_events: after so many steps and stops the run is refused.
    """

    def __init__(self, stop: Callable[[], bool], most_events: int, end: float) -> None:
        self._stop, self._most, self._end = stop, most_events, end
        self._stops = self._closed = 0

    def look(self, steps: int, t: float) -> None:
        """After so many steps, at ``t`` seconds."""
        if self._stop():
            raise Stopped
        if steps + self._stops > self._most:
            said = f"{self._most} events, and {t:.0f} of {self._end:.0f} s are simulated"
            raise InvalidInputError(Fault("line:too-many-events", said, "Simulate less time", "seconds"))

    def count(self, stops: int) -> None:
        """So many more stops of machines while they worked."""
        self._stops += stops

    def stopped(self, t: float) -> None:
        """One more stop of a machine while it works."""
        self._stops += 1
        if not self._stops & LOOK_EVERY:
            self.look(0, t)

    def closed(self, count: int, t: float) -> None:
        """So many more stops by the calendar, which are all kept."""
        self._closed += count
        if self._closed > MOST_CLOSED:
            said = f"{MOST_CLOSED} stops by the calendar, and {t:.0f} of {self._end:.0f} s are laid out"
            hint = "Simulate less time, or let stops come less often"
            raise InvalidInputError(Fault("line:too-many-events", said, hint, "seconds"))
        self.look(0, t)
