"""One FMU in its own process, as the master sees it: asked and answered with patience, ended at its budget."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.sdk.model_archive import open_model

_LONGEST_ANSWER = 16_000_000
_WORDS = {
    signal.SIGSEGV: ("fmu:crashed", "It crashed (segmentation fault)"),
    signal.SIGBUS: ("fmu:crashed", "It crashed (bus error)"),
    signal.SIGABRT: ("fmu:crashed", "It aborted itself"),
    signal.SIGILL: ("fmu:crashed", "It crashed (illegal instruction)"),
    signal.SIGFPE: ("fmu:crashed", "It crashed (arithmetic error)"),
    signal.SIGXFSZ: ("fmu:writes-files", "It tried to write a file, and was ended"),
    signal.SIGXCPU: ("fmu:time", "It used all of its CPU time, and was ended"),
    signal.SIGKILL: ("fmu:killed", "It was ended by the system: it used too much time or memory"),
    signal.SIGSYS: ("fmu:refused", "It asked the system for something that it may not have"),
}


class FmuProcess:
    """A context: the process, its folder and everything it started are gone when it ends."""

    def __init__(self, name: str, content: bytes, cpu_s: int, memory_mb: int, cancel: Callable[[], bool]) -> None:
        self.name = name
        self._content = content
        self._limits = cpu_s, memory_mb
        self._patience_s = cpu_s + 5.0
        self._cancel = cancel
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self.variables: dict[str, dict[str, Any]] = {}
        self.about: dict[str, Any] = {}

    def __enter__(self) -> FmuProcess:
        self._folder = tempfile.TemporaryDirectory(prefix="servitwin-fmu-")
        try:
            root = Path(self._folder.name)
            open_model(self._content, f"fmus.{self.name}", self.name).unpack(root / "fmu")
            (root / "scratch").mkdir()
            command = [sys.executable, "-I", "-m", "servitwin.services.operation.co_simulation.child"]
            # Nothing of this process's surroundings: no tokens, no paths to load other code from.
            small = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
            self._process = subprocess.Popen(
                [*command, str(root / "fmu"), str(root / "scratch"), *map(str, self._limits)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=small, cwd=str(root),
                start_new_session=True,
            )  # fmt: skip
            self.about = self.ask({"do": "open"})
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.variables = {v["name"]: v for v in self.about.pop("variables")}
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        process, folder = self._process, self._folder
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        self._process = self._folder = None
        if folder is not None:
            folder.cleanup()

    def written(self) -> list[str]:
        """Names of files that the FMU left in the one place where it may make any."""
        assert self._folder is not None
        return sorted(p.name for p in (Path(self._folder.name) / "scratch").rglob("*"))

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """One answer.

        Raises:
            InvalidInputError: ``fmu:...`` with the name of the FMU: what it refused, or how it ended.
        """
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(question) + b"\n")
            process.stdin.flush()
            line = self._line()
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        if not line:
            raise self._ended()
        said: dict[str, Any] = msgspec.json.decode(line)
        if "code" in said:
            raise self._fault(said["code"], said["message"])
        return said

    def _line(self) -> bytes:
        """The next line of its output; empty where it has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        until = time.monotonic() + self._patience_s
        number = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(number, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if self._cancel():
                    raise Cancelled
                left = until - time.monotonic()
                if left <= 0:
                    raise self._fault("fmu:hangs", f"It did not answer within {self._patience_s:g} s, and was ended")
                if not selector.select(min(left, 0.25)):
                    continue
                piece = os.read(number, 1 << 16)
                if not piece:
                    return b""
                self._rest += piece
                if len(self._rest) > _LONGEST_ANSWER:
                    raise self._fault("fmu:failed", "Its answer is longer than anything it was asked for")
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _ended(self) -> InvalidInputError:
        assert self._process is not None
        try:
            code = self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            return self._fault("fmu:hangs", "It closed its answers and does not end")
        number = -code if code < 0 else code - 128 if code > 128 else 0
        if number in _WORDS:
            return self._fault(*_WORDS[signal.Signals(number)])
        return self._fault("fmu:ended", f"Its process ended by itself (exit code {code})")

    def _fault(self, code: str, message: str) -> InvalidInputError:
        hint = "The node is not touched by it; ask whoever made the FMU"
        return InvalidInputError(Fault(code, f"{self.name}: {message}", hint, f"fmus.{self.name}"))


class Cancelled(Exception):  # noqa: N818 - no error: whoever asked wants it no more
    """The simulation is not wanted any more."""
