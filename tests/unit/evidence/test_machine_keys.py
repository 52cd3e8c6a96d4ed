"""Keys of machines: registered, replaced, revoked; each is a statement, and segments say what was signed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.domain.error import ConflictError, InvalidInputError, NotFoundError, RefusedError, ServitwinError
from servitwin.domain.instant import NS
from servitwin.domain.machine_key import MachineKey, is_demanded
from servitwin.domain.party import Actor, Party
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.formats.did_document import did_document
from servitwin.proof.log.segment import Segment, SegmentRows, twin_leaf
from servitwin.sdk.signed_payload import key_id, public_text
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.bind_observations import body_of, plain_body
from servitwin.usecases.keep_machine_keys import NOTICE, KeepMachineKeys
from servitwin.usecases.registry import Registry
from servitwin.usecases.state_evidence import StateEvidence
from tests.unit.evidence.samples import T0
from tests.unit.evidence.test_segment import rows_of

TWIN = Twin("u1", "mill-1", "machine", owner=(Dated("acme", 0),))
OTHER = Twin("u2", "mill-2", "machine", owner=(Dated("acme", 0),))
LINE = Twin("u3", "line-1", "line", owner=(Dated("acme", 0),))
ADAM = Actor("adam", "person", "acme", ("administrator",))
VERA = Actor("vera", "person", "acme", ("viewer",))
FIRST, SECOND = (public_text(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2))


class Desk:
    """The use case over real records, with the clock in the test's hand."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'records.db'}"
        migrate(url)
        self.records = SqlRecords(url)
        self.records.save_party(Party("acme", "Acme"))
        self.records.save_twin(TWIN)
        self.records.save_twin(OTHER)
        self.records.save_twin(LINE)
        self.now = T0
        registry = Registry(self.records)
        authoriser = Authoriser(registry, self.records, lambda: "acme", lambda: self.now)
        evidence = StateEvidence(self.records, lambda: "acme")
        audit = Audit(self.records, lambda: self.now)
        self.keep = KeepMachineKeys(self.records, authoriser, audit, evidence, lambda: self.now)

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        contents = [msgspec.json.decode(c) for _, c in self.records.waiting_statements(100)]
        return sorted(((c["kind"], c["body"]) for c in contents), key=lambda s: s[0])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def code(act: Any, kind: type[ServitwinError]) -> str:
    with pytest.raises(kind) as e:
        act()
    return e.value.fault.code


def test_a_key_is_registered_replaced_and_revoked(desk: Desk) -> None:
    first = desk.keep.register(ADAM, TWIN, FIRST, "gateway hall 2")
    assert (first.id, first.since, first.by) == (key_id(FIRST), T0 + NOTICE, "adam")
    desk.now += 60 * NS
    second = desk.keep.register(ADAM, TWIN, SECOND, "gateway hall 2", replaces=first.id)
    old, new = desk.keep.of(TWIN)
    assert (old.revoked, old.released, new) == (second.since, second.since, second)
    assert old.counts(second.since - 1)
    assert not old.counts(second.since)
    for at in (T0 + NOTICE, second.since - 1, second.since):
        assert is_demanded([old, new], at), "there is no moment between the two in which nothing is demanded"
    desk.now += 60 * NS
    done = desk.keep.revoke(ADAM, TWIN, second.id, "a laptop was stolen", since=T0 + 65 * NS)
    assert (done.revoked, done.released) == (T0 + 65 * NS, None)
    assert is_demanded(desk.keep.of(TWIN), desk.now)
    kinds = [kind for kind, _ in desk.said()]
    assert kinds == ["machine-key", "machine-key", "machine-key-revoked", "machine-key-revoked"]
    assert {b["key"] for k, b in desk.said() if k == "machine-key"} == {first.id, second.id}


def test_hearing_a_machine_unsigned_again_reaches_not_back(desk: Desk) -> None:
    key = desk.keep.register(ADAM, TWIN, FIRST, "gateway")
    desk.now += 3600 * NS
    done = desk.keep.revoke(ADAM, TWIN, key.id, "no gateway any more", since=T0 + 60 * NS, unsigned=True)
    assert (done.revoked, done.released) == (T0 + 60 * NS, desk.now)


def test_what_is_not_taken(desk: Desk) -> None:
    key = desk.keep.register(ADAM, TWIN, FIRST, "gateway")
    keep = desk.keep
    assert code(lambda: keep.register(ADAM, TWIN, FIRST, "again"), ConflictError) == "machine-key:taken"
    assert code(lambda: keep.register(ADAM, OTHER, FIRST, "again"), ConflictError) == "machine-key:taken"
    assert code(lambda: keep.register(ADAM, TWIN, "x", "g"), InvalidInputError) == "machine-key:malformed"
    assert code(lambda: keep.register(ADAM, TWIN, SECOND, " "), InvalidInputError) == "machine-key:name"
    assert code(lambda: keep.register(ADAM, TWIN, SECOND, "g", T0), InvalidInputError) == "machine-key:too-soon"
    assert code(lambda: keep.register(ADAM, LINE, SECOND, "g"), InvalidInputError) == "machine-key:no-machine"
    unknown = code(lambda: keep.register(ADAM, TWIN, SECOND, "g", replaces="no"), NotFoundError)
    assert unknown == "machine-key:unknown"
    assert [k.id for k in keep.of(TWIN)] == [key.id], "what was refused left nothing behind"
    assert code(lambda: keep.register(VERA, TWIN, SECOND, "g"), RefusedError) == "access:not-permitted"
    assert code(lambda: keep.revoke(VERA, TWIN, key.id, "why"), RefusedError) == "access:not-permitted"
    assert code(lambda: keep.revoke(ADAM, TWIN, "no", "why"), NotFoundError) == "machine-key:unknown"
    assert code(lambda: keep.revoke(ADAM, TWIN, key.id, ""), InvalidInputError) == "machine-key:reason-missing"
    late = code(lambda: keep.revoke(ADAM, TWIN, key.id, "why", T0 + 60 * NS), InvalidInputError)
    assert late == "machine-key:in-future"
    keep.revoke(ADAM, TWIN, key.id, "why")
    assert code(lambda: keep.revoke(ADAM, TWIN, key.id, "why"), ConflictError) == "machine-key:revoked"


def test_whoever_holds_twins_hears_of_it(desk: Desk) -> None:
    registry = Registry(desk.records)
    assert registry.machine_keys("u1") == ()
    key = desk.keep.register(ADAM, TWIN, FIRST, "gateway")
    assert registry.reload()
    assert registry.machine_keys("u1") == (key,)


def received(*at: int) -> SegmentRows:
    """Two signals of u1, received then; a connection word and a row of another twin, received before any key."""
    rows = [("u1", name, T0 + i, i, n, 0, False, 1.5) for i, _ in enumerate(at) for n, name in enumerate(("a", "b"))]
    others = [("u1", "_connection", T0, 90, 0, 0, False, "online"), ("u2", "a", T0, 91, 0, 0, False, 2.5)]
    found = rows_of([*rows, *others])
    times = [t for t in at for _ in range(2)] + [T0 - NS, T0 - NS]
    return replace(found, received=np.array(times, np.int64))


def signed(rows: SegmentRows, *keys: MachineKey) -> bool:
    body = body_of(0, 0, 99, rows, T0, {"u1": keys} if keys else {})
    leaves = {t.uid: twin_leaf(t.uid, t.root).hex() for t in Segment(rows).twins}
    assert body.signed in ((), (leaves["u1"],)), "no other twin, and no connection, is spoken of"
    assert ("signed" in plain_body(body)) == bool(body.signed), "segments without a key are as they were"
    return bool(body.signed)


def test_a_segment_says_so_only_if_every_row_came_while_a_signature_was_demanded() -> None:
    key = MachineKey("k", "u1", FIRST, "gateway", since=T0)
    assert not signed(received(T0, T0 + 5))
    assert signed(received(T0, T0 + 5), key)
    assert not signed(received(T0 - 1, T0 + 5), key)
    assert not signed(received(T0, T0 + 5), msgspec.structs.replace(key, revoked=T0 + 5, released=T0 + 5))
    assert signed(received(T0, T0 + 5), msgspec.structs.replace(key, revoked=T0 + 5))
    next_one = MachineKey("l", "u1", SECOND, "gateway", since=T0 + 5)
    for order in itertools.permutations([msgspec.structs.replace(key, revoked=T0 + 5, released=T0 + 5), next_one]):
        assert signed(received(T0, T0 + 4, T0 + 5, T0 + 9), *order)


def test_the_owners_document_lists_keys_of_machines_that_assert_nothing() -> None:
    keys = [
        MachineKey("k", "u1", FIRST, "gateway", since=T0),
        MachineKey("l", "u1", SECOND, "gateway", since=T0, revoked=T0 + 5),
    ]
    document = did_document("node.example", "acme", [], keys)
    assert [m["id"].rpartition("#")[2] for m in document["verificationMethod"]] == ["machine-k", "machine-l"]
    assert [("revoked" in m) for m in document["verificationMethod"]] == [False, True]
    assert document["assertionMethod"] == document["authentication"] == []
