"""What the use cases of the evidence log need of engines and of other nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy.typing as npt


class LogReader(Protocol):
    """A log to read (``engines.files.evidence_log.EvidenceReader``)."""

    def __len__(self) -> int: ...
    def entry(self, index: int) -> bytes:
        """One entry."""
        ...

    def entries(self, first: int, count: int) -> Iterator[bytes]:
        """Entries from ``first`` on."""
        ...

    def catalogue(self) -> npt.NDArray[Any]:
        """A row for each entry (``proof.log.catalogue.ROW``)."""
        ...

    def node(self, level: int, place: int) -> bytes:
        """Hash of a complete subtree."""
        ...

    def root(self, size: int | None = None) -> bytes:
        """Root over the first ``size`` entries, or all."""
        ...

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Inclusion proof."""
        ...

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Consistency proof."""
        ...


class LogWriter(LogReader, Protocol):
    """A log to write: one writer."""

    def append(self, entries: Sequence[bytes]) -> int:
        """Add entries durably and return the index of the first."""
        ...

    def checkpoint(self) -> None:
        """Put what is derived on the disk."""
        ...

    def close(self) -> None:
        """Give the log back."""
        ...


class HeadFiles(Protocol):
    """The newest head, the newest co-signature of each party, and lines that are only added to: ``forks``."""

    def head(self) -> bytes | None:
        """The newest head; None while there is none."""
        ...

    def save_head(self, content: bytes) -> None:
        """Keep the newest head, durably."""
        ...

    def save_cosigned(self, party: str, content: bytes) -> None:
        """Keep the newest co-signature of a party, durably."""
        ...

    def cosigned(self) -> list[bytes]:
        """The newest co-signature of each party."""
        ...

    def save_stamp(self, size: int, content: bytes) -> None:
        """Keep an authority's time stamp of the head of that size, durably."""
        ...

    def stamped(self) -> list[int]:
        """Sizes of the heads that have a time stamp, ascending."""
        ...

    def stamp(self, size: int) -> bytes | None:
        """The time stamp of the head of that size."""
        ...

    def add(self, kind: str, line: bytes) -> None:
        """Add a line, durably."""
        ...

    def lines(self, kind: str) -> list[bytes]:
        """Lines, oldest first."""
        ...


class PartyKeys(Protocol):
    """Private keys of parties on this node (``engines.files.party_keys.PartyKeyFolder``)."""

    def sign(self, party: str, content: bytes) -> tuple[str, str]:
        """Public key and signature, both base64."""
        ...

    def public_key(self, party: str) -> str:
        """The present key, base64; made if there is none."""
        ...

    def has(self, party: str) -> bool:
        """Whether a key of the party is here."""
        ...

    def next_key(self, party: str, *, make: bool) -> str | None:
        """The key that is next, base64."""
        ...

    def take_next(self, party: str) -> None:
        """Sign with the key that is next from now on."""
        ...


class RemoteLog(Protocol):
    """The log of another node, over its API; answers as plain data."""

    def log_head(self) -> dict[str, Any]:
        """Head, owner, co-signatures, forks."""
        ...

    def log_entries(self, first: int, limit: int) -> list[dict[str, Any]]:
        """Entries: ``index`` and ``entry`` or ``leaf``."""
        ...

    def log_consistency(self, old: int, new: int) -> list[str]:
        """Consistency proof, hex."""
        ...

    def send_cosignature(self, size: int, body: dict[str, Any]) -> None:
        """Give the owner a co-signature."""
        ...

    def log_segment_rows(self, index: int) -> dict[str, Any]:
        """What the owner discloses of a segment."""
        ...
