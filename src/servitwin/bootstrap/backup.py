"""Backup and restore of a data folder: consistent at a cut, beside a running node."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from servitwin.bootstrap.data_folder import FOLDER_VERSION, DataFolder, write_private
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.engines.files.log_heads import copy_log
from servitwin.engines.history.copies import backup as backup_history
from servitwin.engines.history.copies import restore as restore_history

_WHOLE = ("files", "secrets", "witness")


def backup(data: Path, target: Path) -> str:
    """Write a backup of ``data`` into the new tar file ``target``; returns what it holds, for people.

    History is taken first: whatever its rows refer to is in the records that are taken after it, and bound in the
    evidence log that comes last. What lies in the streams and is not committed yet is not part of it; machines have
    their acknowledgement for it, the folder has it.

    Raises:
        NotFoundError: ``data:not-a-data-folder``.
        ConflictError: ``backup:exists``.
    """
    if not (data / "VERSION").exists():
        raise NotFoundError(
            Fault("data:not-a-data-folder", f"{data} holds no servitwin data", "Name the folder given to serve --data")
        )
    if target.exists():
        raise ConflictError(Fault("backup:exists", f"{target} is there already", "Name a new file", str(target)))
    with tempfile.TemporaryDirectory(dir=target.resolve().parent, prefix=".servitwin-backup-") as folder:
        copy = Path(folder) / "servitwin"
        copy.mkdir()
        cut = backup_history(data / "history", copy / "history")
        if (data / "records.db").exists():
            with (
                contextlib.closing(sqlite3.connect(data / "records.db")) as live,
                contextlib.closing(sqlite3.connect(copy / "records.db")) as kept,
            ):
                live.backup(kept)
        for name in _WHOLE:
            if (data / name).is_dir():
                shutil.copytree(data / name, copy / name)
        copy_log(data / "evidence", copy / "evidence")
        shutil.copy2(data / "VERSION", copy / "VERSION")
        fresh = target.with_name(target.name + ".new")
        with tarfile.open(fresh, "w") as tar:  # tables are compressed already
            tar.add(copy, arcname="servitwin")
        fresh.chmod(0o600)
        fresh.replace(target)
    reached = ", ".join(f"stream {shard} up to {seq}" for shard, seq in sorted(cut.items())) or "no observation yet"
    return f"{target}: {target.stat().st_size} bytes; {reached}"


def restore(source: Path, data: Path) -> str:
    """Make the new data folder ``data`` of a backup; the node that is started on it goes on from the backup's cut.

    Raises:
        NotFoundError: ``backup:not-found``.
        InvalidInputError: ``backup:unreadable``, ``data:newer-version``.
        ConflictError: ``data:not-empty``.
    """
    if not source.is_file():
        raise NotFoundError(Fault("backup:not-found", f"{source} is no file", "Name a file that backup wrote"))
    if data.exists() and any(data.iterdir()):
        raise ConflictError(Fault("data:not-empty", f"{data} is not empty", "Name a new folder", str(data)))
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.resolve().parent, prefix=".servitwin-restore-") as folder:
        try:
            with tarfile.open(source) as tar:
                tar.extractall(folder, members=_harmless(tar))  # noqa: S202 - checked; 3.11.2 knows no filter
            copy = Path(folder) / "servitwin"
            version = int((copy / "VERSION").read_text("utf-8"))
        except (tarfile.TarError, OSError, ValueError) as e:
            fault = Fault("backup:unreadable", f"{source}: {e}", "Take another backup", str(source))
            raise InvalidInputError(fault) from e
        if version > FOLDER_VERSION:
            hint = "Restore it with the servitwin that wrote it, or a newer one"
            raise InvalidInputError(Fault("data:newer-version", f"The backup has version {version}", hint, str(source)))
        holder = DataFolder(data)
        holder.take()
        try:
            cut = restore_history(copy / "history", data / "history")
            for name in _WHOLE:
                if (copy / name).is_dir():
                    shutil.copytree(copy / name, data / name, dirs_exist_ok=True)
            copy_log(copy / "evidence", data / "evidence")
            if (copy / "records.db").exists():
                shutil.copy2(copy / "records.db", data / "records.db")
            write_private(data / "VERSION", f"{version}\n".encode())
        finally:
            holder.release()
    reached = ", ".join(f"stream {shard} up to {seq}" for shard, seq in sorted(cut.items())) or "no observation yet"
    return f"{data}: {reached}"


def _harmless(tar: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """Members that are plain files and folders inside the backup.

    Raises:
        tarfile.TarError: there is something else in it; it was not written by :func:`backup`.
    """
    members = tar.getmembers()
    for member in members:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r} is no part of a backup")
        member.mode &= 0o700
    return members
