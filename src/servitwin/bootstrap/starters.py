"""What the command line cannot start by itself: everything for which parts have to meet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from servitwin.bootstrap.check_connection import check_connection
from servitwin.bootstrap.serve import become_supervisor
from servitwin.cli.starters import Starters
from servitwin.config import Settings, WebSettings
from servitwin.connectors.recorded.plugin import KINDS, open_recording
from servitwin.domain.error import Fault, UnavailableError
from servitwin.usecases.check_files import check
from servitwin.usecases.check_log import Checked
from servitwin.usecases.log_ports import RemoteLog
from servitwin.usecases.verify_settlement import Verified
from servitwin.usecases.witness_log import Followed

_STOP_WITHIN_S = 60.0


@contextmanager
def node_for_a_while(data: Path) -> Iterator[None]:
    """A node on a data folder for the time of a ``with`` block.

    Raises:
        UnavailableError: ``node:did-not-start`` with what it said.
    """
    settings = Settings(data=str(data), web=WebSettings(port=0))
    handed_over = os.memfd_create("servitwin-settings", 0)
    os.write(handed_over, msgspec.json.encode(settings))
    os.lseek(handed_over, 0, os.SEEK_SET)
    arguments = [sys.executable, "-m", "servitwin.bootstrap", "supervise", "json", str(handed_over)]
    process = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=(handed_over,), text=True
    )
    os.close(handed_over)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line or "web" not in json.loads(line):
            fault = Fault("node:did-not-start", f"No node could be started on {data}", "See what it says above")
            raise UnavailableError(fault)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_STOP_WITHIN_S)
        process.stdout.close()


def _backup(data: Path, target: Path) -> str:
    from servitwin.bootstrap.backup import backup  # noqa: PLC0415 - no other command needs the history engine

    return backup(data, target)


def _restore(source: Path, data: Path) -> str:
    from servitwin.bootstrap.backup import restore  # noqa: PLC0415 - as above

    return restore(source, data)


def _verify(file: Path, observations: Path | None, keys: Path | None) -> Verified:
    from servitwin.bootstrap.verify import verify  # noqa: PLC0415 - as above

    return verify(file, observations, keys)


def _witness(folder: Path, party: str, node: RemoteLog) -> Followed:
    from servitwin.bootstrap.watch_log import witness_once  # noqa: PLC0415 - as above

    return witness_once(folder, party, node)


def _check_folder(data: Path, witness: Path | None, kept_since: int | None, say: Callable[[str], None]) -> Checked:
    from servitwin.bootstrap.check_log import check_folder  # noqa: PLC0415 - as above

    return check_folder(data, witness, kept_since, say)


def _check_node(node: RemoteLog, witness: Path | None, say: Callable[[str], None]) -> Checked:
    from servitwin.bootstrap.check_log import check_node  # noqa: PLC0415 - as above

    return check_node(node, witness, say)


def starters() -> Starters:
    """All starters of this build."""
    return Starters(
        serve=become_supervisor,
        check_files=lambda paths: check(paths, check_connection=check_connection),
        open_recording=open_recording,
        recording_kinds=tuple(sorted(KINDS)),
        node=node_for_a_while,
        backup=_backup,
        restore=_restore,
        verify=_verify,
        witness=_witness,
        check_folder=_check_folder,
        check_node=_check_node,
    )
