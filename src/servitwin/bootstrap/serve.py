"""Start a node and say on standard error what happens; standard output is for programs alone."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from servitwin.bootstrap.supervisor import Supervisor
from servitwin.config import Settings
from servitwin.domain.error import ServitwinError


def say(text: str) -> None:
    """One line for people."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def serve(settings: Settings, as_json: bool = False) -> int:
    """Run a node until SIGINT or SIGTERM. Returns the exit code: 0 ended as told, 1 it could not run, 2 wrong use."""
    logging.basicConfig(level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    say(f"servitwin on {Path(settings.data).resolve()} is starting ...")
    supervisor = Supervisor(settings, say, as_json)
    try:
        asyncio.run(supervisor.run())
    except ServitwinError as e:
        for fault in e.faults:
            say(f"servitwin: {fault}")
        return 2 if e.fault.code.startswith("data:") else 1
    say("stopped; everything received is stored")
    return 0
