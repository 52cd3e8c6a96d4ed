"""Start a node and say on standard error what happens; standard output is for programs alone."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

import msgspec

from servitwin.config import Settings, read_settings
from servitwin.domain.error import ServitwinError


def say(text: str) -> None:
    """One line for people."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def become_supervisor(settings: Settings, as_json: bool) -> int:
    """Replace this process by the supervisor: what the command line needed to parse is given back to the machine."""
    handed_over = os.memfd_create("servitwin-settings", 0)
    os.write(handed_over, msgspec.json.encode(settings))
    os.lseek(handed_over, 0, os.SEEK_SET)
    word = "json" if as_json else "text"
    arguments = [sys.executable, "-m", "servitwin.bootstrap", "supervise", word, str(handed_over)]
    sys.stdout.flush()
    os.execv(sys.executable, arguments)  # noqa: S606 - the same program, no shell


def supervise(word: str, handed_over: int) -> int:
    """Run a node until SIGINT or SIGTERM. Returns the exit code: 0 ended as told, 1 it could not run, 2 wrong use."""
    with os.fdopen(handed_over, "rb") as file:
        settings = read_settings(file.read())
    logging.basicConfig(level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    from servitwin.bootstrap.supervisor import Supervisor  # noqa: PLC0415 - only the supervisor needs it

    say(f"servitwin on {Path(settings.data).resolve()} is starting ...")
    try:
        asyncio.run(Supervisor(settings, say, word == "json").run())
    except ServitwinError as e:
        for fault in e.faults:
            say(f"servitwin: {fault}")
        return 2 if e.fault.code.startswith("data:") else 1
    say("stopped; everything received is stored")
    return 0
