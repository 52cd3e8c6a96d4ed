"""The log: its signed head, heads that others co-signed, and what the reader himself holds of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import canonical, merkle, shape
from .keys import KeyRing
from .refusal import RefusedError
from .statements import Statement, read_statement

# Kinds of entries in the reader's own copy that can tell what a file leaves out.
_TELLING = tuple(f'"kind":"{kind}"'.encode() for kind in ("segment", "key-revoked", "machine-key-revoked"))


@dataclass
class Head:
    """Size and root of the log at an instant (ns)."""

    log: str
    size: int
    root: bytes
    made: int
    key: str
    signature: Any
    digest: str


@dataclass
class Cosigned:
    """A head that other parties signed as well, and which of them: (party, key id, whether the reader knows it)."""

    head: Head
    by: list[tuple[str, str, bool]] = field(default_factory=list)


@dataclass
class Stamped:
    """A head for which the file holds an authority's answer (RFC 3161); who signed the answer is not judged here."""

    head: Head
    authority: str
    time: int


def read_head(value: Any, where: str) -> Head:
    """A tree head; its signature is not checked yet."""
    row = shape.table(value, where, "head", "key", "signature")
    head = shape.table(row["head"], where, "log", "size", "root", "made")
    return Head(
        shape.text(head["log"], where),
        shape.whole(head["size"], f"{where}.size", 1, 2**53),
        shape.one_hash(head["root"], f"{where}.root"),
        shape.instant(head["made"], f"{where}.made"),
        shape.text(row["key"], where),
        row["signature"],
        canonical.digest(head),
    )


def check_head(head: Head, owner: str, ring: KeyRing, where: str) -> None:
    """The head is signed by the party that owns the log."""
    key = ring.check(head.key, head.signature, "tree-head", head.digest, head.made, where)
    if key.party != owner:
        message = f"the head of {owner}'s log is signed by {key.party}"
        raise RefusedError("proof:signature-wrong", message, where)


def check_cosigned(value: Any, head: Head, owner: str, ring: KeyRing) -> list[Cosigned]:
    """Heads that other parties co-signed, each proven to be the beginning of the log of ``head``.

    Raises:
        RefusedError: ``proof:log-forked`` if one is not, ``proof:signature-wrong`` and so on.
    """
    found = []
    for i, given in enumerate(shape.items(value, "log.cosigned", 1000)):
        where = f"log.cosigned[{i}]"
        row = shape.table(given, where, "head", "by", "path")
        old = read_head(row["head"], where)
        check_head(old, owner, ring, where)
        path = shape.hashes(row["path"], f"{where}.path", 128)
        if old.log != head.log or not merkle.consistent(old.size, old.root, head.size, head.root, path):
            message = f"the co-signed head of {old.size} entries is not the beginning of the head of {head.size}"
            raise RefusedError("proof:log-forked", message, where)
        cosigned = Cosigned(old)
        for signed in shape.items(row["by"], where, 1000):
            one = shape.table(signed, where, "party", "key", "signature", "seen")
            named = shape.text(one["key"], where)
            known = ring.keys.get(named) or ring.outside.get(named)
            if known is None:
                raise RefusedError("proof:key-unknown", f"key {named[:64]} of a co-signer is not stated", where)
            key = KeyRing({}, {named: known}).check(named, one["signature"], "cosign", old.digest, old.made, where)
            if key.party != one["party"] or key.party == owner:
                message = f"a co-signature of {one['party']} is that of {key.party}"
                raise RefusedError("proof:signature-wrong", message, where)
            cosigned.by.append((key.party, key.id, key.known))
        found.append(cosigned)
    return found


def check_stamped(value: Any, head: Head, owner: str, ring: KeyRing) -> list[Stamped]:
    """Heads that an authority has stamped, each proven to be the beginning of the log of ``head``.

    Its answer has to hold the head's hash; its signature is X.509 and CMS, which this program does not read.

    Raises:
        RefusedError: ``proof:log-forked``, ``proof:stamp-elsewhere``, and as for heads.
    """
    found = []
    for i, given in enumerate(shape.items(value, "log.stamped", 100)):
        where = f"log.stamped[{i}]"
        row = shape.table(given, where, "head", "authority", "response", "time", "path")
        old = read_head(row["head"], where)
        check_head(old, owner, ring, where)
        path = shape.hashes(row["path"], f"{where}.path", 128)
        if old.log != head.log or not merkle.consistent(old.size, old.root, head.size, head.root, path):
            message = f"the stamped head of {old.size} entries is not the beginning of the head of {head.size}"
            raise RefusedError("proof:log-forked", message, where)
        answer = shape.binary(row["response"], f"{where}.response", 100_000)
        if bytes.fromhex(old.digest.removeprefix("sha256:")) not in answer:
            raise RefusedError("proof:stamp-elsewhere", "the authority's answer is about something else", where)
        authority = shape.text(row["authority"], where, 2000)
        found.append(Stamped(old, authority, shape.instant(row["time"], f"{where}.time")))
    return found


def check_own_heads(own: Any, head: Head, cosigned: list[Cosigned], lines: list[bytes] | None) -> int:
    """Compare with heads that the reader's own node co-signed; returns how many.

    Raises:
        RefusedError: ``proof:log-forked`` if the log that the file shows is not the one that he saw;
            ``proof:head-not-linked`` if the file has no path between the two.
    """
    given = own if isinstance(own, list) else [own]
    for i, one in enumerate(given):
        where = f"your head {i}"
        plain = shape.table(one, where).get("head", one)
        row = shape.table(plain, where, "log", "size", "root")
        size, root = shape.whole(row["size"], where, 0, 2**53), shape.one_hash(row["root"], where)
        if row["log"] != head.log:
            raise RefusedError("proof:log-other", f"the file shows the log {head.log}, your head is of another", where)
        if size == 0:
            continue
        linked = [head, *(c.head for c in cosigned)]
        same = [h for h in linked if h.size == size]
        if not same and lines is not None and size <= len(lines):
            if merkle.root_of(map(merkle.leaf, lines[:size])) != root:
                raise RefusedError("proof:log-forked", "your head does not fit your own copy of the entries", where)
            continue
        if not same:
            message = f"no path leads from the head of {head.size} entries to yours of {size}: ask for a newer proof"
            raise RefusedError("proof:head-not-linked", message, where)
        if any(h.root != root for h in same):
            message = f"you co-signed another log: the heads of {size} entries differ. Keep both: this is a fork"
            raise RefusedError("proof:log-forked", message, where)
    return len(given)


def read_witness(folder: Path) -> list[bytes]:
    """The reader's own copy of the log: ``entries.jsonl``, an entry a line, in order, as it was signed."""
    try:
        return (folder / "entries.jsonl").read_bytes().splitlines()
    except OSError as e:
        raise RefusedError("proof:witness-unreadable", f"no copy of the log is there: {e.strerror}") from None


def check_witness(
    lines: list[bytes], head: Head, cosigned: list[Cosigned], shown: dict[int, Statement]
) -> list[Statement]:
    """Compare the file with the reader's own copy; returns the copy's segments and revocations up to the head.

    Raises:
        RefusedError: ``proof:log-forked``, naming the first entry (and segment) that differs; or
            ``proof:head-not-linked`` if the copy ends before any head of the file.
    """
    leaves = [merkle.leaf(line) for line in lines]
    for index, statement in shown.items():
        if index < len(leaves) and leaves[index] != statement.leaf:
            message = f"entry {index} is not the one that you hold: the log was rewritten. Keep both: this is a fork"
            raise RefusedError("proof:log-forked", message, statement.where)
    within = [h for h in (head, *(c.head for c in cosigned)) if h.size <= len(leaves)]
    if not within:
        message = f"your copy ends at entry {len(leaves)}, before every head of the file: bring it up to date"
        raise RefusedError("proof:head-not-linked", message, "witness")
    for one in within:
        if merkle.root_of(leaves[: one.size]) != one.root:
            message = (
                f"the head of {one.size} entries does not fit the entries that you hold. Keep both: this is a fork"
            )
            raise RefusedError("proof:log-forked", message, "witness")
    return [
        read_statement(canonical.read_any(line), i)
        for i, line in enumerate(lines[: head.size])
        if any(kind in line for kind in _TELLING)
    ]
