"""A simulated machine whose steps come from a model outside: it speaks MQTT as the other machines do, and ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from servitwin.connectors.simulator.link import Link
from servitwin.connectors.simulator.machine import Value
from servitwin.connectors.simulator.plant import Broker
from servitwin.domain.instant import NS, format_instant
from servitwin.sdk.connector import NotReadyError

_TICK_S = 0.02
_PATIENCE_S = 30.0
_MS = 1_000_000


class PlayedMachine:
    """Shows one step after the other, each in a message of its own that is kept until the broker has it.

    Args:
        twin: for which it speaks.
        broker: where, as ``user`` with ``password``.
        folder: for the journal of what the broker has not acknowledged.
        session: name of this play; its messages count once.
        now: ns UTC.
    """

    def __init__(
        self, twin: str, broker: Broker, user: str, password: str, folder: Path, session: str, now: Callable[[], int]
    ) -> None:
        self._now = now
        self._link = Link(
            twin, broker, user, password, folder, session, (), lambda *_: None, lambda *_: None
        )  # a model takes no commands and hears no neighbours

    def play(self, steps: Iterable[Mapping[str, Value]], pace: float) -> list[int]:
        """Show all steps, ``pace`` of them a second; returns when each was shown (ns UTC, whole milliseconds).

        Raises:
            NotReadyError: the broker does not let it in, or does not take what it says.
        """
        self._link.open()
        try:
            self._wait_until(lambda: self._link.connected)
            shown: list[int] = []
            for values in steps:
                now = self._now()
                due = now if not shown else max(now, shown[-1] + int(NS / pace))
                time.sleep((due - now) / NS)
                at = self._now() // _MS * _MS
                shown.append(max(at, shown[-1] + _MS) if shown else at)
                self._link.offer({"time": format_instant(shown[-1]), "values": dict(values)})
            self._wait_until(lambda: self._link.pending == 0)
        finally:
            self._link.close()
        return shown

    def _wait_until(self, there: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not there():
            if time.monotonic() > end:
                raise NotReadyError(self._link.refused or "the broker does not answer")
            time.sleep(_TICK_S)
