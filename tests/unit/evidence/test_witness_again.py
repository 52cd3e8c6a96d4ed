"""A witness whose disk is full, and an owner whose clock is set back, or who lies about a date."""

from __future__ import annotations

from pathlib import Path

import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import NS
from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.proof.log.statement import Subject, glance, statement_bytes
from servitwin.usecases.check_log import check_log
from servitwin.usecases.witness_log import WitnessLog, leaf_of
from tests.unit.evidence.samples import T0
from tests.unit.evidence.test_keep_log import Owner, Remote, code, follow


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    made = Owner(tmp_path / "owner")
    assert made.keep.open()
    return made


def test_what_a_witness_could_not_keep_it_looks_at_again(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.segment(0, 1)
    copy = EvidenceLog(tmp_path / "w" / "log", ROW, describe, leaf_of)
    keys = PartyKeyFolder(tmp_path / "w" / "keys")
    witness = WitnessLog(copy, LogHeads(tmp_path / "w"), keys, "other", lambda: T0, list)

    def full(_: object) -> int:
        raise OSError("no space left on device")

    with monkeypatch.context() as m:
        m.setattr(copy, "append", full)
        with pytest.raises(OSError, match="no space left"):
            witness.follow(Remote(owner))
    assert witness.follow(Remote(owner)).cosigned
    copy.close()


def test_segments_are_dated_in_their_order_whatever_the_clock_does(owner: Owner, tmp_path: Path) -> None:
    owner.segment(0, 1)
    owner.clock -= 3600 * NS
    owner.killed()
    owner.segment(2, 3)
    made = [glance(e).statement.made_at for e in owner.log.entries(1, 2)]
    assert made == sorted(made)
    assert follow(tmp_path / "w", Remote(owner)).cosigned
    body = {
        "shard": 0, "first": 4, "last": 5, "count": 1, "root": "0" * 64, "twins": 1,
        "from": "2026-01-01T00:00:00.000000000Z", "to": "2026-01-01T00:00:01.000000000Z",
    }  # fmt: skip
    owner.keep.append([statement_bytes("segment", "acme", Subject(), T0 - 3600 * NS, body)])  # who lies about its date
    assert code(InvalidInputError, lambda: follow(tmp_path / "w", Remote(owner))) == "log:refused"
    entries = list(owner.log.entries(0, len(owner.log)))
    checked = check_log(entries, owner.keep.head, None, lambda *_: None)
    assert [(d.what, d.first) for d in checked.differences] == [("entry", 4)]
