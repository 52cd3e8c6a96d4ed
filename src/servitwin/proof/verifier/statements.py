"""Statements: what the parties said and signed, each an entry of one log, proven to be in it by one joint path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import canonical, merkle, shape
from .keys import KeyRing
from .refusal import RefusedError


@dataclass
class Statement:
    """An entry of the log: who said what about which twin and case, and when (ns)."""

    index: int
    kind: str
    by: str
    twin: str | None
    case: str | None
    made: int
    body: dict[str, Any]
    key: str
    leaf: bytes

    @property
    def where(self) -> str:
        """For refusals: number and kind of the entry; a segment by shard, sequences and times."""
        if self.kind != "segment":
            return f"entry {self.index} ({self.kind})"
        b = self.body
        return (
            f"entry {self.index}, segment of shard {b.get('shard')}, sequences {b.get('first')} to {b.get('last')}, "
            f"{b.get('from')} to {b.get('to')}"
        )


def read_statement(entry: Any, index: int) -> Statement:
    """A statement from its entry; nothing is checked but its shape."""
    where = f"entry {index}"
    row = shape.table(entry, where, "content", "key", "signature")
    content = shape.table(row["content"], where, "statement", "kind", "by", "subject", "made", "body")
    if content["statement"] != "servitwin-statement@1":
        shape.wrong(where, "a statement of the form servitwin-statement@1")
    subject = shape.table(content["subject"], where)
    twin, case = subject.get("twin"), subject.get("case")
    return Statement(
        index,
        shape.text(content["kind"], where),
        shape.text(content["by"], where),
        None if twin is None else shape.text(twin, where),
        None if case is None else shape.text(case, where),
        shape.instant(content["made"], f"{where}.made"),
        shape.table(content["body"], where),
        shape.text(row["key"], where),
        merkle.leaf(canonical.write(entry)),
    )


def read_statements(value: Any, size: int, root: bytes, ring: KeyRing) -> dict[int, Statement]:
    """All statements of the file by index: in the log, signed by a key that counted, of the party that they name.

    Raises:
        RefusedError: ``proof:entry-not-in-log``, ``proof:entry-repeated``, and what :class:`KeyRing` refuses.
    """
    shape.table(value, "statements", "entries", "hashes")
    found: dict[int, Statement] = {}
    entries: dict[int, Any] = {}
    last = -1
    for i, row in enumerate(shape.items(value["entries"], "statements.entries")):
        where = f"statements.entries[{i}]"
        index = shape.whole(shape.table(row, where, "index", "entry")["index"], where)
        if index <= last:
            raise RefusedError("proof:entry-repeated", f"entry {index} is repeated or out of order", where)
        last = index
        found[index], entries[index] = read_statement(row["entry"], index), row["entry"]
    hidden = shape.hashes(value["hashes"], "statements.hashes")
    shown = {index: s.leaf for index, s in found.items()}
    try:
        fits = merkle.root_from(shown, size, hidden, "statements") == root
    except RefusedError as e:
        raise RefusedError("proof:entry-not-in-log", f"the path to the log does not fit: {e.message}") from None
    if not fits:
        message = "an entry was changed, dropped, moved or added: together they do not lead to the head of the log"
        raise RefusedError("proof:entry-not-in-log", message, "statements")
    check_keys(found, ring)
    for index, statement in found.items():
        _check_signature(statement, entries[index], ring)
    return found


def check_keys(found: dict[int, Statement], ring: KeyRing) -> None:
    """Take keys and revocations into the ring, in the order of the log."""
    for statement in found.values():
        if statement.kind == "key":
            ring.add(statement.body, statement.key, statement.where)
            if statement.body["party"] != statement.by:
                raise RefusedError("proof:key-wrong", f"{statement.by} states a key of another party", statement.where)
    for statement in found.values():
        if statement.kind == "key-revoked":
            _revoke(statement, ring)


def _revoke(statement: Statement, ring: KeyRing) -> None:
    body = shape.table(statement.body, statement.where, "key", "party", "from")
    key = ring.keys.get(shape.text(body["key"], statement.where))
    if key is None:
        return  # a key that nothing here is signed with
    if key.party != statement.by or body["party"] != key.party:
        raise RefusedError("proof:key-wrong", f"{statement.by} revokes a key of {key.party}", statement.where)
    since = shape.instant(body["from"], statement.where)
    key.revoked = since if key.revoked is None else min(key.revoked, since)
    first = key.revoked_at_entry
    key.revoked_at_entry = statement.index if first is None else min(first, statement.index)


def _check_signature(statement: Statement, entry: Any, ring: KeyRing) -> None:
    digest = canonical.digest(entry["content"])
    key = ring.check(statement.key, entry["signature"], "statement", digest, statement.made, statement.where)
    if key.party != statement.by:
        message = f"{statement.by} is named, but {key.party} signed"
        raise RefusedError("proof:signature-wrong", message, statement.where)
    if key.revoked_at_entry is not None and statement.index > key.revoked_at_entry:
        message = f"key {key.id} of {key.party} had been revoked in entry {key.revoked_at_entry}"
        raise RefusedError("proof:key-revoked", message, statement.where)
