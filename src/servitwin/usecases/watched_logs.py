"""Logs of other nodes that this node co-signs: how far it has seen them, and whether they were rewritten."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from servitwin.proof.log.head import Fork, SignedHead, read_head
from servitwin.usecases.keep_log import FORKS, read_cosigned, read_forks
from servitwin.usecases.log_ports import HeadFiles


class WatchedLog(msgspec.Struct, frozen=True):
    """A log of another node.

    Attributes:
        url: address of that node.
        head: the head that was co-signed last; None: none yet.
        seen: when (RFC 3339), empty: not yet.
        forks: heads that contradict what was co-signed before, each with the one it contradicts; the newest first.
    """

    url: str
    head: SignedHead | None
    seen: str
    forks: tuple[Fork, ...]


def watched_logs(kept: Iterable[tuple[str, HeadFiles]]) -> list[WatchedLog]:
    """What is kept of each log, forked ones first; ``kept``: address of the node and what the witness wrote."""
    found = []
    for url, heads in kept:
        raw = heads.head()
        seen = max((c.cosignature.seen for c in read_cosigned(heads.cosigned())), default="")
        forks = tuple(reversed(read_forks(heads.lines(FORKS))))
        found.append(WatchedLog(url, None if raw is None else read_head(raw), seen, forks))
    return sorted(found, key=lambda w: (not w.forks, w.url))
