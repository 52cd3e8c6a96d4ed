"""Child processes: started with their settings on standard input, watched, restarted with back-off, ended by id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from servitwin.bootstrap.data_folder import RecordedChild
from servitwin.config import Settings
from servitwin.domain.error import Fault, UnavailableError

log = logging.getLogger("servitwin.children")
_LONGEST_PAUSE_S = 30.0
_LOG_LIMIT = 8 * 2**20


def start_ticks(pid: int) -> int | None:
    """When that process started (clock ticks after boot), None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if stat[0] == "Z" else int(stat[19])  # a zombie has ended, only its parent has not looked


def end_recorded(children: list[RecordedChild], patience_s: float = 5.0) -> list[str]:
    """End children that outlived a killed supervisor; only those whose start time matches. Returns their names."""
    alive = [c for c in children if start_ticks(c.pid) == c.started]
    for child in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    rest = alive
    while rest and time.monotonic() < deadline:
        time.sleep(0.05)
        rest = [c for c in rest if start_ticks(c.pid) == c.started]
    for child in rest:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    return [c.name for c in alive]


class Child:
    """One worker process that is kept alive until it is stopped."""

    def __init__(
        self,
        name: str,
        role: str,
        settings: Callable[[], Settings],
        logs: Path,
        changed: Callable[[], None],
        ready_within_s: float = 120.0,
    ) -> None:
        self.name = name
        self.role = role
        self.ready: dict[str, Any] | None = None
        self.restarts = 0
        self.last_exit: int | None = None
        self.pid = 0
        self._settings = settings
        self._logs = logs
        self._changed = changed
        self._ready_within_s = ready_within_s
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._watch: asyncio.Task[None] | None = None

    async def warm_up(self) -> None:
        """Let it load its code already; it gets its settings, and begins, at :meth:`start` (decision 0065)."""
        await self._spawn()

    async def start(self) -> None:
        """Start it, wait until it says that it works, and keep it alive from then on.

        Raises:
            UnavailableError: ``child:not-ready`` with the last lines of its log.
        """
        await self._launch()
        self._watch_over()

    async def start_or_insist(self) -> None:
        """As :meth:`start`; if it does not start, it is started again and again with back-off.

        Raises:
            UnavailableError: as :meth:`start`, at the first time alone.
        """
        try:
            await self._launch()
        finally:
            if not self._stopping:
                self._watch_over()

    def _watch_over(self) -> None:
        self._watch = asyncio.create_task(self._keep_alive(), name=f"watch-{self.name}")

    async def _spawn(self) -> None:
        path = self._log_path
        if path.exists() and path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as stderr:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "servitwin.bootstrap",
                "worker",
                self.role,
                str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C goes to the supervisor alone, which stops children in order
            )
        self.pid = self._process.pid
        self.ready = None
        self._changed()

    async def _launch(self) -> None:
        if self._process is None or self._process.returncode is not None:
            await self._spawn()
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._process.stdin.write(msgspec.json.encode(self._settings()))
            await self._process.stdin.drain()
            self._process.stdin.close()
        try:
            self.ready = await asyncio.wait_for(self._first_word(), self._ready_within_s)
        except TimeoutError:
            self.ready = None
        if self.ready is None:
            await self._end()
            raise UnavailableError(
                Fault(
                    "child:not-ready",
                    f"{self.name} did not start: {self._log_end(self._log_path)}",
                    f"Read {self._log_path}",
                    self.name,
                )
            )
        self._changed()

    @property
    def _log_path(self) -> Path:
        return self._logs / f"{self.name}.log"

    async def _first_word(self) -> dict[str, Any] | None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            with contextlib.suppress(json.JSONDecodeError):
                word = json.loads(line)
                if isinstance(word, dict) and word.get("ready"):
                    return word
        return None

    @staticmethod
    def _log_end(path: Path) -> str:
        with path.open("rb") as f:
            f.seek(max(0, path.stat().st_size - 2000))
            return " | ".join(f.read().decode("utf-8", "replace").strip().splitlines()[-3:]) or "no word in its log"

    async def _keep_alive(self) -> None:
        pause = 0.2
        while True:
            assert self._process is not None
            began = time.monotonic()
            self.last_exit = await self._process.wait()
            if self._stopping:
                return
            log.warning("%s ended with %s, starting it again", self.name, self.last_exit)
            pause = 0.2 if time.monotonic() - began > 60 else min(pause * 2, _LONGEST_PAUSE_S)
            while True:
                self.ready = None
                self._changed()
                await asyncio.sleep(pause)
                # Asked here too: wait_for of Python 3.11 swallows a cancellation that comes with its result.
                if self._stopping:
                    return
                self.restarts += 1
                try:
                    await self._launch()
                    break
                except UnavailableError as e:
                    if self._stopping:
                        return
                    log.error("%s", e)
                    pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def stop(self, patience_s: float = 15.0) -> None:
        """Ask it to end, wait, and insist if it does not."""
        self._stopping = True
        if self._watch is not None and (self._process is None or self._process.returncode is not None):
            self._watch.cancel()
        await self._end(patience_s)
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    async def _end(self, patience_s: float = 5.0) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), patience_s)
        except TimeoutError:
            log.error("%s did not end within %s s and is killed", self.name, patience_s)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def record(self) -> RecordedChild:
        """What is remembered of it in run/children.json."""
        return RecordedChild(
            self.name, self.pid, start_ticks(self.pid) or 0, self.ready is not None, self.restarts, self.last_exit
        )
