"""What the broker refused, read from its log: these messages reach nobody who could keep them in quarantine."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

# What nats-server writes -> why a message, a subscription or a connection was refused.
_REASONS = {
    b"Publish Violation": "not-permitted",
    b"Subscription Violation": "not-permitted",
    b"authentication error - User": "wrong-password",
    b"not supported for MQTT topics": "topic",
    b"maximum payload exceeded": "too-long",
}
_MOST_BYTES = 4 * 2**20  # read at once; of more only the end is looked at
_SHOWN = 300


class BrokerRefusals:
    """Counts since it was made, by reason. The gateway speaks MQTT 3.1.1, which cannot tell the machine why."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_to = log.stat().st_size if log.exists() else 0
        self._counts = dict.fromkeys(_REASONS.values(), 0)
        self._last = ""
        self._lock = threading.Lock()

    def counted(self) -> dict[str, Any]:
        """``{"counts": {reason: n}, "last": line}``: the line names client, user or subject, never a secret."""
        with self._lock:
            for line in self._new():
                reason = next((r for said, r in _REASONS.items() if said in line), None)
                if reason is not None:
                    self._counts[reason] += 1
                    self._last = line.partition(b"] ")[2].decode("utf-8", "replace")[:_SHOWN]
            return {"counts": dict(self._counts), "last": self._last}

    def _new(self) -> list[bytes]:
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, 2)
                start = self._read_to if self._read_to <= size else 0  # the log was begun anew
                file.seek(max(start, size - _MOST_BYTES))
                whole, _, rest = file.read().rpartition(b"\n")
        except OSError:
            return []
        self._read_to = size - len(rest)
        return whole.split(b"\n") if whole else []
