"""The log's owner and its witness: exactly once, no hole, keys that change, and forks that are seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from servitwin.domain.canonical_json import canonical
from servitwin.domain.error import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from servitwin.domain.party import Party
from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.engines.records import SqlRecords, migrate
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.proof.log.head import cosign, read_head, sign_head
from servitwin.proof.log.merkle import leaf_hash
from servitwin.proof.log.statement import Subject, glance, sign_statement, statement_bytes
from servitwin.usecases.check_log import check_log
from servitwin.usecases.keep_log import FORKS, KeepLog, read_cosigned
from servitwin.usecases.state_evidence import StateEvidence
from servitwin.usecases.witness_log import Followed, WitnessLog, leaf_of
from tests.unit.evidence.samples import T0


class Owner:
    """A log with its owner, as the evidence process has it; :meth:`killed` opens it again as after a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, T0
        folder.mkdir(parents=True)
        url = f"sqlite:///{folder / 'records.db'}"
        migrate(url)
        self.records = SqlRecords(url)
        self.records.save_party(Party("acme", "Acme", "manufacturer"))
        self.keys = PartyKeyFolder(folder / "keys")
        self.heads = LogHeads(folder / "log")
        self.operator = "acme"
        self.log = EvidenceLog(folder / "log", ROW, describe)
        self.keep = self._keep()
        self.evidence = StateEvidence(self.records, lambda: "acme")

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def _keep(self) -> KeepLog:
        return KeepLog(self.log, self.heads, self.keys, self.records, lambda: self.operator, self.now)

    def killed(self) -> None:
        self.log._release()
        self.log = EvidenceLog(self.folder / "log", ROW, describe)
        self.keep = self._keep()

    def kinds(self) -> list[str]:
        return [glance(e).statement.kind for e in self.log.entries(0, len(self.log))]

    def segment(self, first: int, last: int, shard: int = 0) -> None:
        body = {
            "shard": shard, "first": first, "last": last, "count": 1, "root": "0" * 64, "twins": 1,
            "from": "2026-01-01T00:00:00.000000000Z", "to": "2026-01-01T00:00:01.000000000Z", "late": False,
        }  # fmt: skip
        self.keep.bind([(shard, last, body)])


class Remote:
    """The API of a node, over its log in this process; ``hide`` says which kinds the caller may not read."""

    def __init__(self, owner: Owner, hide: tuple[str, ...] = ()) -> None:
        self.owner, self.hide, self.sent = owner, hide, 0
        self.change: Callable[[dict[str, Any]], None] = lambda _: None

    def log_head(self) -> dict[str, Any]:
        return {"head": msgspec.to_builtins(self.owner.keep.head)}

    def log_entries(self, first: int, limit: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for n, raw in enumerate(self.owner.log.entries(first, limit)):
            hidden = glance(raw).statement.kind in self.hide
            items.append(
                {"index": first + n, **({"leaf": leaf_hash(raw).hex()} if hidden else {"entry": raw.decode()})}
            )
            self.change(items[-1])
        return items

    def log_consistency(self, old: int, new: int) -> list[str]:
        return [h.hex() for h in self.owner.log.consistency(old, new)]

    def send_cosignature(self, size: int, body: dict[str, Any]) -> None:
        from servitwin.proof.log.head import Cosignature

        self.sent += 1
        cosignature = msgspec.convert(body["cosignature"], Cosignature)
        self.owner.keep.cosigned(read_head(body["head"]), cosignature, body["key_entries"])
        assert size == body["head"]["head"]["size"]

    def log_segment_rows(self, index: int) -> dict[str, Any]:
        raise AssertionError(f"a witness asked for the rows of segment {index}")


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    made = Owner(tmp_path / "owner")
    assert made.keep.open()
    return made


def follow(folder: Path, remote: Remote) -> Followed:
    copy = EvidenceLog(folder / "log", ROW, describe, leaf_of)
    keys = PartyKeyFolder(folder / "keys")
    try:
        return WitnessLog(copy, LogHeads(folder), keys, "other", lambda: T0, list).follow(remote)
    finally:
        copy.close()


def code(error: type[Exception], what: Callable[[], object]) -> str:
    with pytest.raises(error) as e:
        what()
    fault: str = e.value.fault.code  # type: ignore[attr-defined]
    return fault


def test_without_an_operator_there_is_no_log(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "o")
    owner.operator = ""
    assert not owner.keep.open()
    owner.operator = "acme"
    assert owner.keep.open()
    owner.operator = "somebody-else"  # the log stays the log of its first key
    owner.killed()
    assert owner.keep.open()
    assert owner.keep.owner == "acme"
    assert owner.kinds() == ["key"]


def test_statements_enter_once_whenever_the_owner_dies(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = [owner.evidence.state("settlement", Subject(contract="c"), T0 + n, {"period": str(n)}) for n in range(5)]
    assert owner.evidence.state("settlement", Subject(contract="c"), T0, {"period": "0"}) == digests[0]

    def dies(digest: str, entry: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner.records, "place_statement", dies)
        with pytest.raises(KeyboardInterrupt):
            owner.keep.take_waiting()
    owner.killed()
    owner.evidence.state("settlement", Subject(contract="c"), T0 + 9, {"period": "9"})
    assert owner.keep.take_waiting() == 6
    assert owner.keep.take_waiting() == 0
    assert owner.kinds() == ["key", *["settlement"] * 6]
    assert [owner.records.statement_place(d) for d in digests] == [1, 2, 3, 4, 5]


def test_a_party_without_a_good_key_keeps_nobody_waiting(owner: Owner, tmp_path: Path) -> None:
    owner.evidence.state("repair", Subject(), T0, {"n": 1}, by="bolt")
    assert owner.keep.take_waiting() == 1
    (owner.folder / "keys" / "bolt.key").unlink()
    owner.evidence.state("repair", Subject(), T0, {"n": 2}, by="bolt")
    owner.evidence.state("repair", Subject(), T0, {"n": 3})
    assert code(InvalidInputError, owner.keep.take_waiting) == "statement:key-unknown"
    assert owner.kinds() == ["key", "key", "repair", "repair"]
    assert len(owner.records.waiting_statements()) == 1


def test_a_head_that_was_not_signed_is_signed_at_the_start(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(owner.keep, "_sign", lambda: None)
        owner.segment(0, 1)
    owner.killed()
    assert owner.keep.open()
    assert owner.keep.head is not None
    assert owner.keep.head.head.size == 2


def test_a_transaction_that_fails_states_nothing(owner: Owner) -> None:
    def fails() -> None:
        with owner.records.together():
            owner.evidence.state("settlement", Subject(contract="c"), T0, {"period": "0"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert owner.records.waiting_statements() == []


def test_binding_goes_on_where_the_log_ends(owner: Owner) -> None:
    owner.segment(0, 4)
    owner.segment(5, 9)
    owner.segment(0, 3, shard=1)
    owner.killed()
    assert owner.keep.bound() == {0: 9, 1: 3}


def test_keys_rotate_and_are_revoked_also_if_broken_off(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    first = owner.records.party_keys("acme")[0].id
    with monkeypatch.context() as patch:

        def dies(party: str) -> None:
            raise KeyboardInterrupt

        patch.setattr(owner.keys, "take_next", dies)
        with pytest.raises(KeyboardInterrupt):
            owner.keep.rotate("acme")
    owner.killed()
    owner.keep.state_keys()
    second = owner.records.party_keys("acme")[-1].id
    assert owner.keys.next_key("acme", make=False) is None
    assert owner.kinds() == ["key", "key"]
    owner.segment(0, 1)
    third = owner.keep.revoke("acme", second, owner.now(), "stolen").id
    assert len({first, second, third}) == 3
    owner.segment(2, 3)
    assert owner.keep.revoke("acme", first, T0, "old").id == third
    assert code(ConflictError, lambda: owner.keep.revoke("acme", first, T0, "again")) == "key:revoked"
    assert code(NotFoundError, lambda: owner.keep.revoke("acme", "nonsense", T0, "?")) == "key:unknown"
    assert code(NotFoundError, lambda: owner.keep.rotate("nobody")) == "key:none-here"
    owner.killed()
    assert owner.keep.head is not None
    assert owner.keep.head.key == third


def test_a_log_that_is_not_what_was_signed_is_not_gone_on_with(owner: Owner) -> None:
    owner.segment(0, 1)
    head = owner.heads.head()
    assert head is not None
    beyond = msgspec.json.decode(head)
    beyond["head"]["size"] += 1
    owner.heads.save_head(canonical(beyond))
    assert code(UnavailableError, owner._keep) == "log:shorter-than-head"
    other = msgspec.json.decode(head)
    other["head"]["root"] = "0" * 64
    owner.heads.save_head(canonical(other))
    assert code(UnavailableError, owner._keep) == "log:not-its-head"


def test_a_witness_copies_checks_and_co_signs(owner: Owner, tmp_path: Path) -> None:
    remote = Remote(owner, hide=("settlement",))
    for n in range(1200):
        owner.evidence.state("settlement", Subject(contract="c"), T0 + n, {"n": n})
    while owner.keep.take_waiting():
        pass
    owner.segment(0, 1)
    assert follow(tmp_path / "w", remote).fresh == len(owner.log) - 1  # its own key came after
    assert follow(tmp_path / "w", remote).fresh == 1
    assert follow(tmp_path / "w", remote).fresh == 0
    owner.segment(2, 3)
    assert follow(tmp_path / "w", remote).cosigned
    (kept_newest,) = read_cosigned(owner.heads.cosigned())
    assert kept_newest.head == owner.keep.head
    assert owner.kinds().count("key") == 2
    copy = EvidenceLog(tmp_path / "w" / "log", ROW, describe, leaf_of)
    assert copy.root() == owner.log.root()
    kept, shown = list(copy.entries(0, 9999)), list(owner.log.entries(0, 9999))
    assert check_log(shown, owner.keep.head, kept, lambda *_: None).passed
    for forged in (shown[:-1], [*shown[:5], shown[6], shown[5], *shown[7:]], [*shown[:5], shown[6], *shown[6:]]):
        found = check_log(forged, owner.keep.head, kept, lambda *_: None)
        assert "rewritten" in {d.what for d in found.differences}
        assert "head" in {d.what for d in found.differences}
    copy.close()


@pytest.mark.parametrize("how", ["altered", "repeated", "missing", "other-index", "no-text", "wrong-type"])
def test_entries_that_are_not_the_head_s_are_refused(owner: Owner, tmp_path: Path, how: str) -> None:
    owner.segment(0, 1)
    owner.segment(2, 3)
    remote = Remote(owner)
    before = remote.log_entries(1, 1)[0]["entry"]

    def change(item: dict[str, Any]) -> None:
        if item["index"] == 2:
            changes: dict[str, dict[str, Any]] = {
                "altered": {"entry": item["entry"].replace('"last":3', '"last":4')}, "repeated": {"entry": before},
                "missing": {"index": 3}, "other-index": {"index": "2"}, "no-text": {"entry": None},
                "wrong-type": {"entry": 7},
            }  # fmt: skip
            item.update(changes[how])

    remote.change = change
    assert code(InvalidInputError, lambda: follow(tmp_path / "w", remote)) == "log:refused"
    assert remote.sent == 0
    remote.change = lambda _: None
    assert follow(tmp_path / "w", remote).cosigned


def test_a_hole_between_segments_is_not_co_signed(owner: Owner, tmp_path: Path) -> None:
    owner.segment(0, 1)
    owner.segment(3, 4)
    remote = Remote(owner)
    assert code(InvalidInputError, lambda: follow(tmp_path / "w", remote)) == "log:refused"
    assert remote.sent == 0


def test_forks_are_seen_by_both_sides(owner: Owner, tmp_path: Path) -> None:
    owner.segment(0, 1)
    owner.segment(2, 3)
    follow(tmp_path / "w", Remote(owner))
    # The same keys, another past.
    twin = Owner(tmp_path / "forged")
    twin.keys = PartyKeyFolder(owner.folder / "keys")
    twin.clock = T0
    twin.keep = twin._keep()
    twin.log.append([owner.log.entry(0)])
    twin.keep = twin._keep()
    for n in range(6):
        twin.segment(10 * n, 10 * n + 9)
    assert code(ConflictError, lambda: follow(tmp_path / "w", Remote(twin))) == "log:forked"
    assert code(ConflictError, lambda: follow(tmp_path / "w", Remote(twin))) == "log:forked"
    assert len(LogHeads(tmp_path / "w").lines(FORKS)) == 1
    assert follow(tmp_path / "w", Remote(owner)).cosigned, "the honest log goes on"
    # The owner is shown a head that bears its signature and is not of its log.
    head = sign_head(glance(owner.log.entry(0)).key, 2, b"\1" * 32, T0 + 9, "acme", owner.keys.sign)
    cosignature, _ = cosign(head, "other", T0, PartyKeyFolder(tmp_path / "w" / "keys").sign)
    assert code(ConflictError, lambda: owner.keep.cosigned(head, cosignature)) == "log:forked"
    assert len(owner.heads.lines(FORKS)) == 1


def test_a_log_that_shows_less_is_not_co_signed(owner: Owner, tmp_path: Path) -> None:
    owner.segment(0, 1)
    before = owner.keep.head
    owner.segment(2, 3)
    follow(tmp_path / "w", Remote(owner))
    remote = Remote(owner)
    remote.log_head = lambda: {"head": msgspec.to_builtins(before)}  # type: ignore[method-assign]
    found = follow(tmp_path / "w", remote)
    assert (found.cosigned, found.behind) == (False, 1)


def test_a_strange_log_cannot_take_the_place(owner: Owner, tmp_path: Path) -> None:
    follow(tmp_path / "w", Remote(owner))
    strange = Owner(tmp_path / "strange")
    strange.keep.open()
    assert code(ConflictError, lambda: follow(tmp_path / "w", Remote(strange))) == "log:forked"


def test_co_signatures_that_do_not_fit_are_refused(owner: Owner, tmp_path: Path) -> None:
    follow(tmp_path / "w", Remote(owner))
    keys = PartyKeyFolder(tmp_path / "w" / "keys")
    head = owner.keep.head
    assert head is not None
    good, _ = cosign(head, "other", T0, keys.sign)
    older = read_cosigned(owner.heads.cosigned())[0].head
    wrong = [
        (older, good),
        (head, msgspec.structs.replace(good, party="acme")),
        (head, msgspec.structs.replace(good, key="0" * 32)),
        (msgspec.structs.replace(head, signature=good.signature), good),
        (msgspec.structs.replace(head, head=msgspec.structs.replace(head.head, log="x")), good),
    ]
    for h, c in wrong:
        with pytest.raises(InvalidInputError):
            owner.keep.cosigned(h, c)
    content = statement_bytes("repair", "other", Subject(), T0, {})
    with pytest.raises(InvalidInputError):
        owner.keep.cosigned(head, good, [sign_statement(content, "other", keys.sign).decode()])
    size = len(owner.log)
    owner.keep.cosigned(head, good)
    assert len(owner.log) == size
