"""The content-addressed folder."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servitwin.domain.error import UnavailableError
from servitwin.engines.files import FileFolder


def test_content_is_found_under_its_digest_and_kept_once(tmp_path: Path) -> None:
    files = FileFolder(tmp_path / "files")
    address = files.put(b"manual")
    assert address == "sha256:" + hashlib.sha256(b"manual").hexdigest()
    assert files.put(b"manual") == address
    assert files.put(b"") != address
    assert FileFolder(tmp_path / "files").get(address) == b"manual"
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 2


def test_the_same_content_put_by_many_threads_at_once_is_kept_once(tmp_path: Path) -> None:
    files = FileFolder(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        for k in range(20):
            content = b"%d" % k * 50_000
            addresses = set(threads.map(files.put, [content] * 8))
            assert addresses == {"sha256:" + hashlib.sha256(content).hexdigest()}
            assert files.get(addresses.pop()) == content
    assert not list(tmp_path.rglob("*.new"))


@pytest.mark.parametrize("address", ["", "sha256:", "sha256:" + "0" * 64, "sha256:../../etc/passwd", "md5:" + "0" * 64])
def test_what_was_never_put_is_not_there(tmp_path: Path, address: str) -> None:
    assert FileFolder(tmp_path).get(address) is None


def test_damage_is_told_and_never_handed_out(tmp_path: Path) -> None:
    files = FileFolder(tmp_path)
    address = files.put(b"model")
    next(p for p in tmp_path.rglob("*") if p.is_file()).write_bytes(b"modem")
    with pytest.raises(UnavailableError, match="file:damaged"):
        files.get(address)
