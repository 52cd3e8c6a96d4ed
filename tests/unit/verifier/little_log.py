"""A log, its segments, heads and co-signatures, made straight from docs/concepts/evidence.md by the shortest code."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

S = 1_000_000_000
T0 = 1_790_000_000 * S  # 2026-09-21T13:33:20Z


def at(ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ns // S, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % S:09d}Z"


def digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


# RFC 9162, 2.1.1, 2.1.3.1 and 2.1.4.1, word by word.
def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def consistency(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*consistency(m, leaves[:k], whole), mth(leaves[k:])]
    return [*consistency(m - k, leaves[k:], False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@dataclass
class Signer:
    """A party with one key."""

    party: str
    seed: int = 1

    def __post_init__(self) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32)
        self.public = self.private.public_key().public_bytes_raw()
        self.key = hashlib.sha256(self.public).hexdigest()[:32]

    def sign(self, purpose: str, value: Any) -> str:
        text = f"servitwin {purpose} {digest(value)}".encode()
        return base64.b64encode(self.private.sign(text)).decode()

    def seal(self, content: bytes) -> tuple[str, bytes]:
        return self.key, self.private.sign(content)

    def row(self, since: int = T0 - 1000 * S, **more: str) -> dict[str, str]:
        """As the API writes public keys."""
        public = base64.b64encode(self.public).decode()
        return {"id": self.key, "party": self.party, "public_key": public, "since": at(since), **more}


@dataclass
class Row:
    """One observation of one signal. ``value``: number, text, flag or None."""

    twin: str
    signal: str
    time: int
    seq: int
    idx: int = 0
    value: float | str | bool | None = None
    quality: int = 0
    replayed: bool = False

    @property
    def mark(self) -> int:
        v = self.value
        kind = 0 if v is None else 3 if isinstance(v, bool) else 2 if isinstance(v, str) else 1
        return self.quality | 4 * self.replayed | kind << 4


def ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: (r.time, r.seq, r.idx))


def block(rows: list[Row]) -> bytes:
    """The block of one signal."""
    rows = ordered(rows)
    found = struct.pack("<I", len(rows))
    found += b"".join(struct.pack("<q", r.time) for r in rows)
    found += b"".join(struct.pack("<q", r.seq) for r in rows)
    found += b"".join(struct.pack("<i", r.idx) for r in rows)
    found += bytes(r.mark for r in rows)
    found += b"".join(struct.pack("<d", r.value) for r in rows if r.mark >> 4 == 1)
    found += bytes(int(r.value) for r in rows if r.mark >> 4 == 3)
    for r in rows:
        if isinstance(r.value, str):
            found += struct.pack("<I", len(r.value.encode())) + r.value.encode()
    return found


@dataclass
class Bound:
    """A segment: its entry, its leaves, its rows."""

    entry: int
    twins: list[tuple[str, bytes]]
    signals: dict[str, list[tuple[str, bytes]]]
    rows: list[Row]


@dataclass
class LittleLog:
    """Entries in order; everything else follows from them."""

    owner: Signer
    entries: list[dict[str, Any]] = field(default_factory=list)
    segments: list[Bound] = field(default_factory=list)

    def add(self, by: Signer, kind: str, body: dict[str, Any], made: int, **subject: str) -> int:
        content = {
            "statement": "servitwin-statement@1",
            "kind": kind,
            "by": by.party,
            "subject": subject,
            "made": at(made),
            "body": body,
        }
        self.entries.append({"content": content, "key": by.key, "signature": by.sign("statement", content)})
        return len(self.entries) - 1

    def add_key(self, of: Signer, signed_by: Signer | None = None, made: int = T0 - 900 * S) -> int:
        public = base64.b64encode(of.public).decode()
        body = {"key": of.key, "public_key": public, "party": of.party, "since": at(made)}
        return self.add(signed_by or of, "key", body, made)

    def revoke(self, of: Signer, by: Signer, since: int, made: int) -> int:
        body = {"key": of.key, "party": of.party, "reason": "lost", "from": at(since)}
        return self.add(by, "key-revoked", body, made)

    def bind(self, shard: int, first: int, last: int, rows: list[Row], made: int, signed: bool = False) -> Bound:
        twins, signals = [], {}
        for twin in sorted({r.twin for r in rows}, key=str.encode):
            mine = [r for r in rows if r.twin == twin]
            leaves = [
                (name, sha(block([r for r in mine if r.signal == name])))
                for name in sorted({r.signal for r in mine}, key=str.encode)
            ]
            signals[twin] = leaves
            twins.append((twin, mth([sha(b"\x00", n.encode(), b"\x00", h) for n, h in leaves])))
        root = mth([sha(b"\x00", uid.encode(), b"\x00", h) for uid, h in twins])
        times = [r.time for r in rows] or [T0]
        body = {
            "shard": shard, "first": first, "last": last, "count": len(rows), "root": root.hex(), "twins": len(twins),
            "from": at(min(times)), "to": at(max(times) + 1),
        }  # fmt: skip
        if signed:
            body["signed"] = [sha(b"\x00", uid.encode(), b"\x00", h).hex() for uid, h in twins]
        entry = self.add(self.owner, "segment", body, made)
        self.segments.append(Bound(entry, twins, signals, rows))
        return self.segments[-1]

    @property
    def leaves(self) -> list[bytes]:
        return [sha(b"\x00", rfc8785.dumps(e)) for e in self.entries]

    def head(self, size: int, made: int) -> dict[str, Any]:
        owner = self.owner
        root = mth(self.leaves[:size]).hex()
        head = {"log": self.entries[0]["key"], "size": size, "root": root, "made": at(made)}
        return {"head": head, "key": owner.key, "signature": owner.sign("tree-head", head)}

    def write_entries(self, folder: Any) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "entries.jsonl").write_bytes(b"".join(rfc8785.dumps(e) + b"\n" for e in self.entries))
