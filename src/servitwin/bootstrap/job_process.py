"""Processes that solve problems (``servitwin.bootstrap.solve``), for ``servitwin.usecases.run_jobs.RunJobs``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from servitwin.bootstrap.solve import OUT_OF_MEMORY, Said, SolveRequest
from servitwin.domain.error import Fault, UnavailableError

_LINE = 256 * 2**20  # a plan or an artefact is one line
_PATIENCE_S = 5.0


class JobProcess:
    """One process for one problem; it is gone when :meth:`end` returns."""

    def __init__(self, service: str, problem: bytes, budget: int, seed: int, logs: Path) -> None:
        self._service = service
        self._request = msgspec.json.encode(SolveRequest(msgspec.Raw(problem), budget, seed))
        self._logs = logs
        self._process: asyncio.subprocess.Process | None = None
        self._to_end = False

    async def answers(self) -> AsyncIterator[Said]:
        """What it says, line by line, until it ends.

        Raises:
            UnavailableError: ``job:out-of-memory``, ``job:crashed``.
        """
        with self._logs.open("ab") as stderr:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "servitwin.bootstrap", "solve", self._service, str(os.getpid()),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=stderr, limit=_LINE,
                start_new_session=True,  # so that it can give way without its parent (servitwin.bootstrap.priority)
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._to_end:
            self.ask_to_end()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended at once: its exit code tells
            self._process.stdin.write(self._request)
            await self._process.stdin.drain()
            self._process.stdin.close()
        async for line in self._process.stdout:
            yield msgspec.json.decode(line, type=Said)
        code = await self._process.wait()
        if code == OUT_OF_MEMORY:
            message = f"{self._service} needed more memory than its manifest allows"
            raise UnavailableError(
                Fault("job:out-of-memory", message, "Ask for less at once, or raise limits.memory_mb")
            )
        if code != 0 and not self._to_end:
            message = f"{self._service} ended with {code} before it was done"
            raise UnavailableError(Fault("job:crashed", message, f"See {self._logs.name} in the folder of logs"))

    def ask_to_end(self) -> None:
        """Ask it to come to an end."""
        self._to_end = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def end(self) -> None:
        """Ask it to end, and end it if it does not in a few seconds."""
        self.ask_to_end()
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), _PATIENCE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
