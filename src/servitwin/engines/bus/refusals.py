"""What the broker refused machines, as its log tells: there is no other place where it says who, what and why."""

from __future__ import annotations

import re
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# [pid] 2026/11/27 11:34:20.778698 [ERR] 127.0.0.1:47843 - mid:35 - "m" - Publish Violation - Subject "shop.x"
_LINE = re.compile(
    rb"\[\d+\] (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)\S* \[ERR\] \S+ - (?:m?c?id):\d+ - (?:\"([^\"]*)\" - )?(.*)"
)
_REASONS = (
    (b"maximum payload exceeded", "payload:too-long"),
    (b"character not supported", "topic:odd"),
    (b"Publish Violation", "topic:not-permitted"),
    (b"Subscription Violation", "filter:not-permitted"),
    (b"authentication error", "credential:wrong"),
    (b"maximum bytes exceeded", "stream:full"),
)
_KEPT, _TEXT = 20, 300
_REMEMBERED = 4  # more than the two that are there: a log may be put aside while they are read


class Refusals:
    """Follows the log of a nats-server, and the one put aside before it when that had grown too long.

    Counts go on over the logs that follow each other while this lives, as long as it looks at each before two more
    have begun; a new one begins with the two logs that are kept.
    """

    def __init__(self, log: Path) -> None:
        self._logs = (log.with_name(f"{log.name}.1"), log)
        self._read: dict[bytes, int] = {}  # how far each log has been read, by its first line, which has its time
        self._lock = threading.Lock()
        self._counts = {code: 0 for _, code in _REASONS}
        self._last: deque[dict[str, str]] = deque(maxlen=_KEPT)

    def look(self) -> dict[str, Any]:
        """``{"counts": {code: n}, "last": [{"at", "user", "code", "message"}]}``, newest first; reads what is new."""
        with self._lock:
            # The server writes on into a log put aside until it has opened the next one: both may have grown.
            for path in self._logs:
                self._follow(path)
            for first in list(self._read)[:-_REMEMBERED]:
                del self._read[first]
            return {"counts": dict(self._counts), "last": list(reversed(self._last))}

    def _follow(self, path: Path) -> None:
        """Take the complete lines that are new."""
        try:
            with path.open("rb") as file:
                first = file.readline()
                if not first.endswith(b"\n"):
                    return
                at = self._read.pop(first, 0)
                file.seek(at)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # the rest of it is still to come
                    at += len(line)
                    self._take(line)
                self._read[first] = at
        except FileNotFoundError:
            pass  # the bus is another machine's, no log was too long yet, or the next one is about to be opened

    def _take(self, line: bytes) -> None:
        found = _LINE.match(line)
        code = next((code for mark, code in _REASONS if mark in line), "") if found else ""
        if found is None or not code or b"unable to connect" in line:  # the gateway tells it twice
            return
        self._counts[code] += 1
        local = datetime.strptime(found[1].decode(), "%Y/%m/%d %H:%M:%S").astimezone(UTC)
        self._last.append(
            {
                "at": local.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "user": (found[2] or b"").decode("utf-8", "replace")[:_TEXT],
                "code": code,
                "message": found[3].decode("utf-8", "replace").strip()[:_TEXT],
            }
        )
