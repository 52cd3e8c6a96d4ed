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


class Refusals:
    """Follows the log of a nats-server, and the one put aside before it when that had grown too long.

    Counts go on over any number of logs while this lives; a new one begins with the two logs that are kept.
    """

    def __init__(self, log: Path) -> None:
        self._log, self._aside, self._read = log, log.with_name(f"{log.name}.1"), 0
        self._seen_aside: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._counts = {code: 0 for _, code in _REASONS}
        self._last: deque[dict[str, str]] = deque(maxlen=_KEPT)

    def look(self) -> dict[str, Any]:
        """``{"counts": {code: n}, "last": [{"at", "user", "code", "message"}]}``, newest first; reads what is new."""
        with self._lock:
            aside = _identity(self._aside)
            if aside != self._seen_aside:
                self._follow(self._aside)  # the rest of what was the log at the last look
                self._seen_aside, self._read = aside, 0
            self._follow(self._log)
            return {"counts": dict(self._counts), "last": list(reversed(self._last))}

    def _follow(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                if self._read > file.seek(0, 2):
                    return  # emptied a moment ago: it is about to be there as the one put aside
                file.seek(self._read)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # the rest of it is still to come
                    self._read += len(line)
                    self._take(line)
        except FileNotFoundError:
            pass  # the bus is another machine's, or no log was too long yet

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


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns
