"""Commands and levels as one part for the process that runs them: requests, acknowledgements, live values, time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from servitwin.usecases.derive_level import WINDOW, DeriveLevel
from servitwin.usecases.live_mirror import LiveMessage, LiveMirror
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.released_update import ReleasedUpdate
from servitwin.usecases.send_command import LiveSignals, Publish, SendCommand
from servitwin.usecases.watch_commands import WatchCommands

log = logging.getLogger("servitwin.commands")


class CommandDesk:
    """Synchronous, for one thread.

    ``publish(subject, payload)`` must not block; ``now`` ns UTC; ``new_id`` unique ids; ``entry(index)`` an entry of
    the evidence log.

    Feed it whole live state first (``ask.live``), then each message of ``live.>``, each acknowledgement of
    ``servitwin.*.commands.*.ack`` and a tick about once a second.
    """

    def __init__(
        self,
        records: Records,
        registry: Registry,
        publish: Publish,
        now: Callable[[], int],
        new_id: Callable[[], str],
        entry: Callable[[int], bytes],
        window: int = WINDOW,
    ) -> None:
        self._now = now
        self._mirror = LiveMirror()
        live = LiveSignals(registry, self._mirror)
        self._levels = DeriveLevel(records, registry, publish, window)
        self._watch = WatchCommands(records, registry, live, publish, self._levels.command_changed)
        self._send = SendCommand(
            records, registry, live, self._watch, publish, now, new_id, ReleasedUpdate(records, entry)
        )

    def handle(self, request: bytes) -> bytes:
        """Answer a request of ``ask.command``."""
        return self._send.handle(request)

    def on_ack(self, subject: str, payload: bytes) -> None:
        """Take what came on ``servitwin.<twin>.commands.<id>.ack``."""
        parts = subject.split(".")
        if len(parts) != 5 or parts[2] != "commands" or parts[4] != "ack":
            log.warning("%s is no subject of an acknowledgement", subject)
            return
        self._watch.acknowledged(parts[1], parts[3], payload, self._now())

    def on_live(self, message: LiveMessage) -> None:
        """Take a message of ``live.<twin>``."""
        self._mirror.apply(message)
        self._levels.heard(message)
        self._watch.heard(message, self._now())

    def tick(self, now: int) -> None:
        """Time goes on: end what waited too long, derive levels."""
        self._watch.tick(now)
        self._levels.tick(now)
