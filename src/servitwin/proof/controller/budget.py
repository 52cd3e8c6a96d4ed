"""How long a check may take, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_FIRST_SLICE_S = 1.0


class OutOfBudget(Exception):  # noqa: N818  # no error: the search ends here and says how far it came
    """The time is used up, or the caller cancelled."""


class Budget:
    """Time for a search.

    Args:
        seconds: how long; anything that is not positive is no time at all.
        clock: seconds that only grow (``time.monotonic``).
        cancel: asked between solver calls, and at the latest after some seconds inside one.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], cancel: Callable[[], bool] = lambda: False) -> None:
        self._clock = clock
        self._cancel = cancel
        self._began = clock()
        self._end = self._began + seconds

    @property
    def used(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(self._end - self._clock(), 0.0)

    def part(self, seconds: float) -> Budget:
        """A budget inside this one."""
        return Budget(min(seconds, self.left), self._clock, self._cancel)

    def go_on(self) -> None:
        """Nothing while there is time.

        Raises:
            OutOfBudget: there is none, or the caller cancelled.
        """
        if self._cancel() or self._clock() >= self._end:
            raise OutOfBudget

    def satisfiable(self, solver: Any, *assumptions: Any) -> bool:
        """Ask a solver.

        Raises:
            OutOfBudget: before it had an answer.
        """
        return self.answered(solver, assumptions)

    def answered(self, solver: Any, assumptions: Sequence[Any]) -> bool:
        """As :meth:`satisfiable`, with a list."""
        time_slice = _FIRST_SLICE_S
        while True:
            self.go_on()
            solver.set("timeout", max(int(min(time_slice, self.left) * 1000), 1))
            answer = solver.check(*assumptions)
            text = str(answer)
            if text != "unknown":
                return text == "sat"
            time_slice *= 2
