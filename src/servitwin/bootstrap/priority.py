"""Giving way: work that never hurries takes what the others leave of the processor."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NICENESS = 10
_GROUP = Path("/proc/self/autogroup")


def give_way(group: Path = _GROUP) -> None:
    """Lower this process and its session against all others.

    Where Linux groups processes by session (``sched_autogroup_enabled``), niceness counts within a session only; each
    worker is a session of its own, so the session has to be lowered too (sched(7), "The autogroup feature").
    """
    os.nice(NICENESS)
    with suppress(OSError):  # not Linux, or built without it: niceness alone counts then
        group.write_text(f"{NICENESS}\n", "ascii")
