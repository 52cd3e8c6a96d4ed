"""Entry of every child process: ``python -m servitwin.bootstrap worker ROLE``, settings as JSON on standard input."""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import resource
import signal
import sys

from servitwin.config import Settings, read_settings

_MODULES = {
    "prepare": "servitwin.bootstrap.prepare",
    "ingest": "servitwin.bootstrap.ingest_worker",
    "services": "servitwin.bootstrap.services_worker",
    "web": "servitwin.bootstrap.web_worker",
    "evidence": "servitwin.bootstrap.evidence_worker",
    "plugin": "servitwin.bootstrap.plugin_worker",
    "recall": "servitwin.bootstrap.recall_worker",
    "look-back": "servitwin.bootstrap.look_back_worker",
    "controller-check": "servitwin.bootstrap.controller_worker",
    "controller-replay": "servitwin.bootstrap.controller_replay_worker",
    "release-gate": "servitwin.bootstrap.gate_worker",
    "upkeep": "servitwin.bootstrap.upkeep_worker",
}
_PR_SET_PDEATHSIG = 1


def report_ready(**more: object) -> None:
    """Tell the supervisor on standard output that this child works; ``more`` is JSON-able."""
    import json  # noqa: PLC0415 - one line per process life

    sys.stdout.write(json.dumps({"ready": True, **more}) + "\n")
    sys.stdout.flush()


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends (Linux), also if the parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the request was made
        sys.exit(1)


def limit_memory(megabytes: int) -> None:
    """Bound the data segment, so that a plugin that eats memory gets MemoryError instead of the machine."""
    size = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def main(role: str, parent: int) -> None:
    """Run one child until it is told to end."""
    die_with_parent(parent)
    # Loading comes before the settings: a supervisor that does not know them yet starts this process all the same.
    module = importlib.import_module(_MODULES[role])
    settings: Settings = read_settings(sys.stdin.buffer.read())
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format=f"%(asctime)s {role} %(levelname)s %(name)s: %(message)s"
    )
    os.umask(0o077)
    module.run(settings)
