"""What the supervisor wrote down about its children, and what the machine says about memory and disk."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import msgspec

PLUGIN = "plugin-"


class Child(msgspec.Struct):
    """A process as ``run/children.json`` has it."""

    name: str
    pid: int
    ready: bool = False
    restarts: int = 0
    last_exit: int | None = None


def children(data: Path) -> list[Child]:
    """Processes of this node; empty where no supervisor runs."""
    try:
        return msgspec.json.decode((data / "run" / "children.json").read_bytes(), type=list[Child])
    except (OSError, msgspec.DecodeError):
        return []


def plugin_connections(data: Path) -> list[str]:
    """Names of the connections that have a worker of their own."""
    return [c.name.removeprefix(PLUGIN) for c in children(data) if c.name.startswith(PLUGIN)]


def processes(data: Path) -> list[dict[str, Any]]:
    """Each process with its state, memory (resident, MB) and restarts."""
    return [
        {
            "name": c.name,
            "pid": c.pid,
            "state": "gone" if (memory := memory_mb(c.pid)) is None else "running" if c.ready else "starting",
            "restarts": c.restarts,
            "last_exit": why_ended(c.last_exit),
            "memory_mb": memory,
        }
        for c in children(data)
    ]


def why_ended(code: int | None) -> str:
    """How the process before this one ended, for people; empty if there was none."""
    if code is None:
        return ""
    if code == -signal.SIGALRM:
        return "it did not answer and was ended by its watchdog"
    if code == errno.ENOMEM:
        return "it used more memory than it may"
    if code < 0:
        return f"ended by signal {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def memory_mb(pid: int) -> float | None:
    """Resident memory; None if there is no such process (Linux: /proc/PID/statm)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def disk(data: Path) -> dict[str, Any]:
    """Room on the disk of the data folder."""
    usage = shutil.disk_usage(data)
    return {"total_bytes": usage.total, "free_bytes": usage.free, "free_share": round(usage.free / usage.total, 4)}
