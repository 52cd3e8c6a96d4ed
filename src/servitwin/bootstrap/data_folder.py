"""The data folder: one lock, one version, and files that only their owner can read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import IO

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, UnavailableError

# Raised whenever what lies in the folder changes its form; `prepare` migrates records forward.
FOLDER_VERSION = 1
_SUBFOLDERS = ("run", "secrets", "bus", "history", "files", "logs", "plugins")


class Address(msgspec.Struct):
    """How commands on this machine find the running node; readable by its owner alone."""

    web: str
    mqtt: str
    nats: str
    token: str
    pid: int
    certificate: str = ""  # PEM file: who answers on this machine must have the key of exactly this certificate


class RecordedChild(msgspec.Struct):
    """A child process as remembered across a crash: a number alone could by now be another program."""

    name: str
    pid: int
    started: int  # clock ticks after boot, field 22 of /proc/PID/stat
    ready: bool = False
    restarts: int = 0
    last_exit: int | None = None  # exit code of the process before it; -n: ended by signal n


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically; only its owner can read it."""
    fresh = path.with_name(path.name + ".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(content)
        f.flush()
        os.fsync(f.fileno())
    fresh.replace(path)


class DataFolder:
    """A data folder held by this process until :meth:`release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    def take(self) -> int:
        """Create or open the folder, lock it, and return the version its content was written by.

        Raises:
            ConflictError: ``data:in-use`` if another instance holds it.
            InvalidInputError: ``data:newer-version``, ``data:version-unreadable``, ``data:not-a-data-folder``.
        """
        known = (self.path / "VERSION").exists()
        if self.path.exists() and not known and any(p.name != "lock" for p in self.path.iterdir()):
            raise InvalidInputError(
                Fault(
                    "data:not-a-data-folder",
                    f"{self.path} is not empty and holds no servitwin data",
                    "Name an empty or new folder with --data",
                    str(self.path),
                )
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self._lock_it()
        version = self._version() if known else FOLDER_VERSION
        if version > FOLDER_VERSION:
            self.release()
            raise InvalidInputError(
                Fault(
                    "data:newer-version",
                    f"{self.path} was written by a newer servitwin (folder version {version}, ours {FOLDER_VERSION})",
                    "Start it with that newer servitwin, or restore a backup made before the update",
                    str(self.path / "VERSION"),
                )
            )
        for name in _SUBFOLDERS:
            (self.path / name).mkdir(exist_ok=True, mode=0o700)
        if not known:
            write_private(self.path / "VERSION", f"{FOLDER_VERSION}\n".encode())
        return version

    def _lock_it(self) -> None:
        lock = (self.path / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise ConflictError(
                Fault(
                    "data:in-use",
                    f"{self.path} is in use by another servitwin" + (f" (process {holder})" if holder else ""),
                    "Stop that one first, or name another folder with --data",
                    str(self.path / "lock"),
                )
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _version(self) -> int:
        text = (self.path / "VERSION").read_text("utf-8").strip()
        if not text.isdigit():
            self.release()
            raise InvalidInputError(
                Fault(
                    "data:version-unreadable",
                    f"VERSION holds {text[:40]!r}, not a number",
                    "Restore the folder from a backup",
                    str(self.path / "VERSION"),
                )
            )
        return int(text)

    def migrated(self) -> None:
        """Note that the content now has this program's version."""
        write_private(self.path / "VERSION", f"{FOLDER_VERSION}\n".encode())

    def secret(self, name: str) -> str:
        """A random secret that stays the same over restarts."""
        path = self.path / "secrets" / name
        with contextlib.suppress(FileNotFoundError):
            return path.read_text("utf-8").strip()
        value = secrets.token_urlsafe(32)
        write_private(path, value.encode())
        return value

    def write_address(self, address: Address) -> None:
        """Tell commands on this machine where the node is."""
        write_private(self.path / "run" / "address.json", msgspec.json.encode(address))

    def write_children(self, children: list[RecordedChild]) -> None:
        """Remember the children, so that the next start ends exactly these if this process is killed."""
        write_private(self.path / "run" / "children.json", msgspec.json.encode(children))

    def recorded_children(self) -> list[RecordedChild]:
        """Children of an earlier instance that may have outlived it."""
        try:
            return msgspec.json.decode((self.path / "run" / "children.json").read_bytes(), type=list[RecordedChild])
        except (FileNotFoundError, msgspec.DecodeError):
            return []

    def free_share(self) -> float:
        """Share of the disk that is free, 0 to 1."""
        usage = shutil.disk_usage(self.path)
        return usage.free / usage.total

    def release(self) -> None:
        """Give the folder back and remove the address."""
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):
                (self.path / "run" / "address.json").unlink()
            self._lock.close()
            self._lock = None


def read_address(data: Path) -> Address:
    """Address of the node that runs on this data folder.

    Raises:
        UnavailableError: ``node:not-running``.
    """
    try:
        return msgspec.json.decode((data / "run" / "address.json").read_bytes(), type=Address)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        raise UnavailableError(
            Fault(
                "node:not-running",
                f"No servitwin runs on {data}",
                "Start it with: servitwin serve --data " + str(data),
            )
        ) from None
