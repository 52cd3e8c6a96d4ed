"""Check a node's log and history: on its data folder, or over its API; with a witness's copy where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from servitwin.config import Settings
from servitwin.domain.error import Fault, NotFoundError
from servitwin.engines.files.evidence_log import EvidenceReader
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.history.bound import CommittedRows
from servitwin.proof.log.catalogue import ROW
from servitwin.proof.log.head import hash_of, read_head
from servitwin.usecases.check_log import Checked, against_node, against_rows, check_log
from servitwin.usecases.log_ports import RemoteLog

_PAGE = 1000


def check_folder(data: Path, witness: Path | None, kept_since: int | None, say: Callable[[str], None]) -> Checked:
    """Check the log and the history of a data folder; a node may be running on it.

    Raises:
        NotFoundError: ``log:empty``, ``witness:empty``.
    """
    settings = Settings(data=str(data))
    entries = _entries(settings.evidence)
    raw = LogHeads(settings.evidence).head()
    if not entries or raw is None:
        raise NotFoundError(Fault("log:empty", f"{data} has no evidence log", "Name the folder of a node"))
    head = read_head(raw)
    check = against_rows(CommittedRows(settings.history), kept_since)
    return check_log(entries, head, _witnessed(witness), check, say)


def check_node(node: RemoteLog, witness: Path | None, say: Callable[[str], None]) -> Checked:
    """Check the log of a running node over its API, and the rows that the caller may read.

    Raises:
        NotFoundError: ``log:empty``, ``witness:empty``.
    """
    head = read_head(node.log_head()["head"])
    entries: list[bytes] = []
    while len(entries) < head.head.size:
        items = node.log_entries(len(entries), min(_PAGE, head.head.size - len(entries)))
        if not items:
            break
        entries += [i["entry"].encode() if i.get("entry") else b"\xff" + hash_of(i["leaf"]) for i in items]
    return check_log(entries, head, _witnessed(witness), against_node(node.log_segment_rows), say)


def _witnessed(folder: Path | None) -> list[bytes] | None:
    """What a witness has co-signed: of its copy, the entries of its last head."""
    if folder is None:
        return None
    raw = LogHeads(folder).head()
    if raw is None:
        raise NotFoundError(
            Fault("witness:empty", f"{folder} holds no witness's copy of a log", "See servitwin log witness --data")
        )
    return _entries(folder / "log")[: read_head(raw).head.size]


def _entries(folder: Path) -> list[bytes]:
    reader = EvidenceReader(folder, ROW)
    try:
        return list(reader.entries(0, len(reader)))
    finally:
        reader.close()
