"""Judge a time stamp on a node's log: the authority's answer, and that the log of today begins with what it saw."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from servitwin.domain.error import ConflictError, Fault, NotFoundError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.head import contradiction, hash_of, read_head
from servitwin.proof.log.timestamp import HeadStamp, verified_time


class StampedLog(Protocol):
    """The log of a node with its time stamps, over its API; answers as plain data."""

    def log_head(self) -> dict[str, Any]:
        """The newest head."""
        ...

    def log_consistency(self, old: int, new: int) -> list[str]:
        """Consistency proof, hex."""
        ...

    def log_timestamps(self) -> list[int]:
        """Sizes of the heads that have a time stamp, ascending."""
        ...

    def log_timestamp(self, size: int) -> dict[str, Any]:
        """One time stamp."""
        ...


class VerifiedStamp(msgspec.Struct, frozen=True):
    """Log ``log`` had ``size`` entries with this root when the authority saw it (``time``, ns UTC).

    ``now``: entries of the log today, which begin with those.
    """

    log: str
    size: int
    root: str
    time: int
    authority: str
    now: int
    stamp: HeadStamp


def verify_timestamp(node: StampedLog, roots: bytes, size: int | None = None) -> VerifiedStamp:
    """Check the time stamp of the head of ``size`` entries (None: the newest one) against trusted roots (PEM).

    Raises:
        NotFoundError: ``timestamp:none``.
        InvalidInputError: see :func:`servitwin.proof.log.timestamp.verified_time`.
        ConflictError: ``log:forked`` if the log of today does not begin with what the authority saw.
    """
    if size is None:
        sizes = node.log_timestamps()
        if not sizes:
            hint = "Start the node with --timestamp-authority URL, and wait a moment"
            raise NotFoundError(Fault("timestamp:none", "This log has no time stamp", hint))
        size = sizes[-1]
    told = node.log_timestamp(size)
    stamp = msgspec.convert({**told, "time": parse_instant(told["time"])}, HeadStamp)
    time = verified_time(stamp, roots)
    newest = read_head(node.log_head()["head"])
    path = [hash_of(h) for h in node.log_consistency(stamp.head.head.size, newest.head.size)]
    why = contradiction(stamp.head, newest, path)
    if why:
        hint = "Keep the time stamp and both heads: this is a fork"
        raise ConflictError(Fault("log:forked", f"The log is not the one that was stamped: {why}", hint))
    head = stamp.head.head
    return VerifiedStamp(head.log, head.size, head.root, time, stamp.authority, newest.head.size, stamp)
