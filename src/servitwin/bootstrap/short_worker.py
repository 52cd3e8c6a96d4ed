"""Work that is done now and then, by a process that ends: what it loads and fills is given back to the machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

import msgspec

from servitwin.config import Settings
from servitwin.domain.error import Fault, UnavailableError


async def ask_worker(role: str, settings: Settings) -> bytes:
    """Run the worker ``role`` to its end and return what it wrote on standard output.

    Whoever is cancelled while waiting takes the process along: it is asked to end, and has ended before this returns.

    Raises:
        UnavailableError: ``worker:failed`` if it ended with an error; its own words are in the log.
    """
    command = (sys.executable, "-m", "servitwin.bootstrap", "worker", role, str(os.getpid()))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # so that it can give way without its parent (servitwin.bootstrap.priority)
    )
    try:
        said, _ = await process.communicate(msgspec.json.encode(settings))
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        raise UnavailableError(Fault("worker:failed", f"The worker {role} ended with {process.returncode}"))
    return said
