"""Backup files: what was not written by backup is refused before it can write anywhere."""

import io
import tarfile
from pathlib import Path

import pytest

from servitwin.bootstrap.backup import restore
from servitwin.domain.error import ConflictError, InvalidInputError, NotFoundError


def tar_with(path: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = "/etc/passwd"
        member.size = 1 if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(b"1"))
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../escaped", tarfile.REGTYPE), ("/tmp/absolute", tarfile.REGTYPE), ("servitwin/VERSION", tarfile.SYMTYPE)],
)
def test_a_member_that_leads_outside_is_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    source = tar_with(tmp_path / "evil.tar", name, kind)
    with pytest.raises(InvalidInputError) as refused:
        restore(source, tmp_path / "data")
    assert refused.value.fault.code == "backup:unreadable"
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_backup_and_a_folder_in_use_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.tar").write_bytes(b"noise" * 300)
    with pytest.raises(InvalidInputError):
        restore(tmp_path / "noise.tar", tmp_path / "data")
    with pytest.raises(NotFoundError):
        restore(tmp_path / "missing.tar", tmp_path / "data")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").touch()
    with pytest.raises(ConflictError):
        restore(tmp_path / "noise.tar", tmp_path / "full")
