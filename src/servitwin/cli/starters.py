"""What only ``bootstrap`` can start, handed to the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from servitwin.config import Settings
from servitwin.domain.error import Fault
from servitwin.sdk.recording import Recording
from servitwin.usecases.check_log import Checked
from servitwin.usecases.log_ports import RemoteLog
from servitwin.usecases.verify_settlement import Verified
from servitwin.usecases.witness_log import Followed


@dataclass(frozen=True)
class Starters:
    """Functions that join the parts. One that is None has no command: nothing is offered that does not work.

    Attributes:
        serve: run a node until it is told to stop; settings, whether the first line is JSON; returns the exit code.
        check_files: all faults of machine type and plant files; needs no node.
        open_recording: recording of a kind in a folder; ``recording_kinds`` are the kinds there are.
        node: run a node on a data folder for the time of a ``with`` block; raises ``ServitwinError`` if it cannot.
        backup: consistent copy of a data folder (data folder, target file); returns what was written, for people.
        restore: the way back (backup file, new data folder).
        edge: run an edge node; as ``serve``.
        witness: look at another node's log once (folder of the copy, party that co-signs, the node).
        check_folder: check log and history of a data folder (folder, witness's folder, oldest event time that must be
            there, told how far it is); needs no node.
        check_node: the same of a running node, over its API.
        verify: check a settlement file against observations and public keys; needs no node.
    """

    serve: Callable[[Settings, bool], int]
    check_files: Callable[[Sequence[Path]], Sequence[Fault]]
    open_recording: Callable[[str, Path], Recording]
    recording_kinds: tuple[str, ...]
    node: Callable[[Path], AbstractContextManager[None]] | None = None
    backup: Callable[[Path, Path], str] | None = None
    restore: Callable[[Path, Path], str] | None = None
    edge: Callable[[Settings, bool], int] | None = None
    verify: Callable[[Path, Path | None, Path | None], Verified] | None = None
    witness: Callable[[Path, str, RemoteLog], Followed] | None = None
    check_folder: Callable[[Path, Path | None, int | None, Callable[[str], None]], Checked] | None = None
    check_node: Callable[[RemoteLog, Path | None, Callable[[str], None]], Checked] | None = None
