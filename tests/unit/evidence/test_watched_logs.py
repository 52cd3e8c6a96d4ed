"""Logs of others that a node watches: how far they were co-signed, and forks with both signed heads."""

from __future__ import annotations

from pathlib import Path

import pytest

from servitwin.domain.error import ConflictError
from servitwin.engines.files.log_heads import LogHeads
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.proof.log.head import is_signed_head
from servitwin.usecases.watched_logs import watched_logs
from tests.unit.evidence.samples import T0
from tests.unit.evidence.test_keep_log import Owner, Remote, follow


def test_a_fork_is_shown_with_both_signed_heads_and_comes_first(tmp_path: Path) -> None:
    owner, honest = Owner(tmp_path / "owner"), Owner(tmp_path / "honest")
    assert owner.keep.open()
    assert honest.keep.open()
    owner.segment(0, 1)
    follow(tmp_path / "w", Remote(owner))
    follow(tmp_path / "h", Remote(honest))
    kept = [("http://a", LogHeads(tmp_path / "h")), ("http://b", LogHeads(tmp_path / "w"))]
    kept.append(("http://c", LogHeads(tmp_path / "new")))
    assert [(w.url, w.forks, bool(w.seen), w.head is None) for w in watched_logs(kept)] == [
        ("http://a", (), True, False), ("http://b", (), True, False), ("http://c", (), False, True),
    ]  # fmt: skip
    signed_before = watched_logs(kept)[1].head
    forged = Owner(tmp_path / "forged")
    forged.keys, forged.clock = PartyKeyFolder(owner.folder / "keys"), T0
    forged.log.append([owner.log.entry(0)])
    forged.keep = forged._keep()
    for n in range(4):
        forged.segment(10 * n, 10 * n + 9)
    with pytest.raises(ConflictError):
        follow(tmp_path / "w", Remote(forged))
    first = watched_logs(kept)[0]
    assert first.url == "http://b"
    [fork] = first.forks
    assert fork.first == signed_before
    assert fork.second == forged.keep.head
    public = owner.keys.public_key("acme")
    assert is_signed_head(fork.first, public)
    assert is_signed_head(fork.second, public), "both bear the owner's signature: he cannot deny either"
