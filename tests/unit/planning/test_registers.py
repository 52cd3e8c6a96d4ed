"""Registers keep every revision, tell all faults at once, and show nobody what is another's."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.party import Actor, Party
from servitwin.domain.register import RegisterKind
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.registers import Registers, entries_of_csv, entries_of_json
from servitwin.usecases.registry import Registry


class Crate(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A crate of a test."""

    title: str
    mass: float
    fragile: bool = False
    labels: list[str] = []


def too_heavy(crate: Crate) -> list[Fault]:
    return [Fault("crate:mass", "It weighs nothing", "Weigh it", "mass")] if crate.mass <= 0 else []


CRATES = RegisterKind("crates", "Crates", Crate, too_heavy)
ACME = Actor("anna", "person", "acme", ("engineer",))
OTHER = Actor("olli", "person", "other", ("production_manager",))
READER = Actor("rita", "person", "acme", ("viewer",))


@pytest.fixture
def records(tmp_path: Path) -> SqlRecords:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate(url)
    found = SqlRecords(url)
    for id in ("acme", "other"):
        found.save_party(Party(id, id.title(), "manufacturer" if id == "acme" else "customer"))
    return found


@pytest.fixture
def registers(records: SqlRecords) -> Registers:
    clock = itertools.count(1000)
    authoriser = Authoriser(Registry(records), records, lambda: "acme", lambda: 10)
    return Registers(records, authoriser, Audit(records, lambda: 10), lambda: next(clock), [CRATES])


def codes(e: pytest.ExceptionInfo[InvalidInputError]) -> list[str]:
    return [f.code for f in e.value.faults]


def test_every_revision_stays_and_the_same_again_is_none(registers: Registers, records: SqlRecords) -> None:
    first = registers.put(ACME, "crates", "c-1", {"title": "Bolts", "mass": 3.5})
    assert registers.put(ACME, "crates", "c-1", {"title": "Bolts", "mass": 3.5}) == first
    registers.put(ACME, "crates", "c-1", {"title": "Nuts", "mass": 2.0}, revision=1)
    with pytest.raises(ConflictError, match="newest revision is 2"):
        registers.put(ACME, "crates", "c-1", {"title": "Washers", "mass": 1.0}, revision=1)
    registers.remove(ACME, "crates", "c-1")
    with pytest.raises(NotFoundError):
        registers.one(ACME, "crates", "c-1")
    registers.put(ACME, "crates", "c-1", {"title": "Again", "mass": 9.0}, revision=0)
    found = registers.revisions(ACME, "crates", "c-1")
    assert [(e.revision, e.body["title"], e.removed) for e in found] == [
        (1, "Bolts", False), (2, "Nuts", False), (3, "Nuts", True), (4, "Again", False),
    ]  # fmt: skip
    assert registers.one(ACME, "crates", "c-1", at=found[1].at).body["title"] == "Nuts"
    assert [e["action"] for e in records.audit_entries()] == [
        "register.save", "register.remove", "register.save", "register.save",
    ]  # fmt: skip


def test_all_faults_at_once_and_none_is_kept(registers: Registers) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("c-1", {"title": "Good", "mass": 1.0}),
        ("c-2", {"title": "Light", "mass": 0.0}),
        (" bad id", {"title": 5, "mass": 1.0}),
        ("c-1", {"title": "Twice", "mass": 1.0}),
        ("c-4", {"title": "More", "mass": 1.0, "colour": "red"}),
    ]
    with pytest.raises(InvalidInputError) as e:
        registers.put_many(ACME, "crates", bodies)
    assert codes(e) == ["crate:mass", "register:id", "register:shape", "register:twice", "register:shape"]
    assert "2: mass" in [f.where for f in e.value.faults]
    assert registers.entries(ACME, "crates") == []
    with pytest.raises(NotFoundError, match="There are crates"):
        registers.put(ACME, "boxes", "b", {})


@pytest.mark.parametrize("mass", [10**40, -(2**63), 1e308])
def test_a_number_that_nothing_can_be_is_refused_with_its_place(registers: Registers, mass: float) -> None:
    with pytest.raises(InvalidInputError) as e:
        registers.put(ACME, "crates", "c-1", {"title": "Much", "mass": mass})
    assert [(f.code, f.where, bool(f.hint)) for f in e.value.faults] == [("number:too-large", "mass", True)]
    assert registers.entries(ACME, "crates") == []


def test_nobody_sees_or_writes_what_is_anothers(registers: Registers) -> None:
    registers.put(ACME, "crates", "c-1", {"title": "Ours", "mass": 1.0})
    registers.put(OTHER, "crates", "c-1", {"title": "Theirs", "mass": 2.0})
    assert [e.body["title"] for e in registers.entries(OTHER, "crates")] == ["Theirs"]
    assert [e.body["title"] for e in registers.entries(READER, "crates")] == ["Ours"]
    with pytest.raises(RefusedError):
        registers.put(READER, "crates", "c-2", {"title": "x", "mass": 1.0})
    with pytest.raises(RefusedError):
        registers.put(OTHER, "crates", "c-2", {"title": "x", "mass": 1.0}, party="acme")
    with pytest.raises(RefusedError):
        registers.remove(OTHER, "crates", "c-1", party="acme")
    with pytest.raises(NotFoundError):
        registers.one(OTHER, "crates", "c-1", party="acme")


def test_pages_skip_what_was_removed(registers: Registers) -> None:
    registers.put_many(ACME, "crates", [(f"c-{i}", {"title": "x", "mass": 1.0}) for i in range(9)])
    for i in (0, 3, 4, 8):
        registers.remove(ACME, "crates", f"c-{i}")
    seen: list[str] = []
    after = ("", "")
    while page := registers.entries(ACME, "crates", after=after, limit=2):
        seen += [e.id for e in page]
        after = (page[-1].party, page[-1].id)
    assert seen == ["c-1", "c-2", "c-5", "c-6", "c-7"]


def test_tables_take_the_types_of_their_fields() -> None:
    table = b'id,title,mass,fragile,labels\nc-1,5,2.5,true,"[""a"",""b""]"\nc-2,Nuts,1,,\n'
    assert entries_of_csv(table, CRATES) == [
        ("c-1", {"title": "5", "mass": 2.5, "fragile": True, "labels": ["a", "b"]}),
        ("c-2", {"title": "Nuts", "mass": 1.0}),
    ]
    with pytest.raises(InvalidInputError) as e:
        entries_of_csv(b"id,title,mass,colour\nc-1,x,heavy,red\nc-2,y\n", CRATES)
    assert codes(e) == ["register:column-unknown", "register:cell", "register:cell", "register:cell"]
    with pytest.raises(InvalidInputError, match="not-csv"):
        entries_of_csv(b"id,title\n\xff\xfe,x\n", CRATES)
    with pytest.raises(InvalidInputError, match="without-id"):
        entries_of_json(b'[{"title": "x"}]')


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_told(content: bytes) -> None:
    for read in (entries_of_json, lambda c: entries_of_csv(c, CRATES)):
        try:
            for id, body in read(content):
                assert isinstance(id, str)
                assert isinstance(body, dict)
        except InvalidInputError as e:
            assert e.faults
