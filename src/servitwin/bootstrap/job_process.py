"""Processes that solve problems (``servitwin.bootstrap.solve``), for ``servitwin.usecases.run_jobs.RunJobs``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import msgspec

from servitwin.bootstrap.solve import OUT_OF_MEMORY, Said, SolveRequest
from servitwin.domain.error import Fault, UnavailableError

_LINE = 256 * 2**20  # a plan or an artefact is one line
_PATIENCE_S = 5.0
Process = asyncio.subprocess.Process


class JobProcesses:
    """Starts one process for each problem; of services that are kept ready one waits already, its code loaded.

    Whoever waits for a plan does not wait for Python and libraries then. A process that waits knows no problem yet, and
    solves one like any other (decision 0210). A service is kept ready from its first job on: a node that never plans
    pays nothing.
    """

    def __init__(self, logs: Path, kept_ready: Callable[[str], bool] = lambda _: False) -> None:
        """``kept_ready``: whether a process of that service shall wait."""
        self._logs = logs
        self._kept_ready = kept_ready
        self._ready: dict[str, Process] = {}
        self._starting: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, service: str, problem: bytes, budget: int, seed: int) -> JobProcess:
        """One that solves this problem; it begins with the first look at its answers."""
        return JobProcess(self, service, SolveRequest(msgspec.Raw(problem), budget, seed))

    @property
    def log_name(self) -> str:
        """Where processes write what is no answer."""
        return self._logs.name

    async def take(self, service: str) -> Process:
        """A process that waits for its problem: the one that is ready, else a fresh one."""
        ready = self._ready.pop(service, None)
        return ready if ready is not None and ready.returncode is None else await self._started(service)

    def renew(self, services: Iterable[str]) -> None:
        """Let a process of each wait that is to be kept ready and is not; returns at once."""
        for service in services:
            if self._kept_ready(service) and not self._closed:
                task = asyncio.create_task(self._keep(service))
                self._starting.add(task)
                task.add_done_callback(self._starting.discard)

    async def close(self) -> None:
        """End what waits."""
        self._closed = True
        await asyncio.gather(*self._starting, return_exceptions=True)
        for process in self._ready.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # it has no problem and nothing to finish
            await process.wait()
        self._ready.clear()

    async def _keep(self, service: str) -> None:
        present = self._ready.get(service)
        if present is None or present.returncode is not None:
            self._ready[service] = await self._started(service)

    async def _started(self, service: str) -> Process:
        with self._logs.open("ab") as stderr:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "servitwin.bootstrap", "solve", service, str(os.getpid()),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=stderr, limit=_LINE,
                start_new_session=True,  # so that it can give way without its parent (servitwin.bootstrap.priority)
            )  # fmt: skip


class JobProcess:
    """One process for one problem; it is gone when :meth:`end` returns."""

    def __init__(self, processes: JobProcesses, service: str, request: SolveRequest) -> None:
        self._processes = processes
        self._service = service
        self._request = request
        self._process: Process | None = None
        self._to_end = False

    async def answers(self) -> AsyncIterator[Said]:
        """What it says, line by line, until it ends.

        Raises:
            UnavailableError: ``job:out-of-memory``, ``job:crashed``.
        """
        self._process = await self._processes.take(self._service)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._to_end:
            self.ask_to_end()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended at once: its exit code tells
            self._process.stdin.write(msgspec.json.encode(self._request))
            await self._process.stdin.drain()
            self._process.stdin.close()
        first = True
        async for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # it was killed in the middle of a word: its exit code tells
            yield msgspec.json.decode(line, type=Said)
            if first:
                self._processes.renew([self._service])  # not before: starting it would slow down what people wait for
                first = False
        code = await self._process.wait()
        if code == OUT_OF_MEMORY:
            message = f"{self._service} needed more memory than its manifest allows"
            raise UnavailableError(
                Fault("job:out-of-memory", message, "Ask for less at once, or raise limits.memory_mb")
            )
        if code != 0 and not self._to_end:
            message = f"{self._service} ended with {code} before it was done"
            hint = f"See {self._processes.log_name} in the folder of logs"
            raise UnavailableError(Fault("job:crashed", message, hint))

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
