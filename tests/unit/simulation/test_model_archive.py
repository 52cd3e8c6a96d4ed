"""Archives of strangers: bombs, ways out, lies about sizes, files cut short or damaged: told, and harmless."""

import errno
import io
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.sdk import model_archive
from servitwin.sdk.model_archive import open_model
from tests.unit.simulation.fmu_builder import packed

LINK = 0o120777 << 16


def made(*entries: tuple[str, bytes], link: bool = False, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", how) as archive:
        for name, value in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = how
            entry.external_attr = LINK if link else 0o644 << 16
            archive.writestr(entry, value)
    return content.getvalue()


def told(content: bytes, folder: Path | None = None) -> Fault:
    def use() -> None:
        archive = open_model(content, "fmus.pump", "pump")
        if folder is not None:
            archive.unpack(folder / "fmu")

    with pytest.raises(InvalidInputError) as e:
        use()
    assert e.value.fault.where == "fmus.pump" and e.value.fault.message.startswith("pump: ") and e.value.fault.hint
    return e.value.fault


def files_of(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_a_sound_archive_is_unpacked_as_it_is(tmp_path: Path) -> None:
    content = made(("modelDescription.xml", b"<x/>"), ("binaries/linux64/a.so", b"code"), ("resources/", b""))
    archive = open_model(content, "fmus.pump")
    assert archive.names == ("modelDescription.xml", "binaries/linux64/a.so") and archive.size == 8
    assert archive.read("modelDescription.xml", 2) == b"<x"
    archive.unpack(tmp_path / "fmu")
    assert files_of(tmp_path) == {"fmu/modelDescription.xml", "fmu/binaries/linux64/a.so"}
    assert (tmp_path / "fmu" / "resources").is_dir()


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "\\evil", "C:\\evil", "C:/evil", ".", "a/.."]
)
def test_no_path_leads_out(tmp_path: Path, name: str) -> None:
    fault = told(made((name, b"x")))
    assert fault.code == "fmu:entry" and "leads out" in fault.message
    assert not files_of(tmp_path)


def test_links_are_refused() -> None:
    assert "is a link" in told(made(("lib", b"/etc"), link=True)).message


def test_encrypted_entries_are_told() -> None:
    content = bytearray(made(("a", b"x")))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.index(mark) + place
        content[at] |= 1
    fault = told(bytes(content))
    assert fault.code == "fmu:entry" and "encrypted" in fault.message


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b", "a\\b", "a//b", "./a/b"])
def test_a_name_that_comes_twice_is_refused(second: str) -> None:
    fault = told(made(("a/b", b"one"), (second, b"two")))
    assert fault.code == "fmu:entry" and "more than once" in fault.message


@pytest.mark.parametrize("names", [("a", "a/b"), ("x" * 300,)])
def test_names_that_no_folder_can_have_are_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    fault = told(made(*((n, b"x") for n in names)), tmp_path)
    assert fault.code == "fmu:entry" and "cannot be written" in fault.message


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_archive, "MOST_BYTES", 1_000_000)
    fault = told(made(("zeros", bytes(1_000_001))), tmp_path)
    assert fault.code == "fmu:too-large" and "1000001 bytes" in fault.message
    many = made(*((f"part{i}", bytes(1000)) for i in range(1001)))
    assert len(many) < 200_000
    assert told(many).code == "fmu:too-large"
    assert told(made(*((f"e{i}", b"") for i in range(5001)))).code == "fmu:too-large"
    assert not files_of(tmp_path)


def sized(content: bytes, size: int) -> bytes:
    """The same archive, with another size of its one entry in both headers."""
    changed = bytearray(content)
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", changed, changed.index(mark) + place, size)
    return bytes(changed)


def test_what_an_entry_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    content = sized(made(("zeros", bytes(5_000_000))), 1000)
    assert open_model(content, "fmus.pump").size == 1000
    fault = told(content, tmp_path)
    assert fault.code in ("fmu:damaged", "fmu:too-large")
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) <= 1000
    assert told(sized(made(("zeros", bytes(10))), 2**32 - 2)).code == "fmu:too-large"


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x7fELF", bytes(1000)])
def test_what_is_no_zip_archive_is_told(content: bytes) -> None:
    assert told(content).code == "fmu:not-a-zip"


def test_a_file_cut_short_is_told_wherever_it_was_cut(tmp_path: Path) -> None:
    content = packed("<fmiModelDescription/>", {"binaries/linux64/a.so": random.Random(1).randbytes(20_000)})
    for length in range(2, len(content) - 1, 997):
        fault = told(content[:length], tmp_path)
        assert fault.code == "fmu:cut-short" and "cut short" in fault.message and "compare its size" in fault.hint


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED])
def test_whatever_is_damaged_becomes_one_kind_of_error(tmp_path: Path, how: int) -> None:
    chance = random.Random(how)
    content = made(("modelDescription.xml", b"<x/>" * 50), ("resources/data", chance.randbytes(300)), how=how)
    refused: dict[str, int] = {}
    for n in range(400):
        spoilt = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        inside = tmp_path / f"{n}"
        inside.mkdir()
        try:
            open_model(bytes(spoilt), "fmus.pump", "pump").unpack(inside / "fmu")
        except InvalidInputError as e:
            refused[e.fault.code] = refused.get(e.fault.code, 0) + 1
    assert refused["fmu:damaged"] > 100
    assert {p.name for p in tmp_path.iterdir()} == {str(n) for n in range(400)}


def test_a_compression_that_nobody_knows_is_told(tmp_path: Path) -> None:
    content = bytearray(made(("a", b"x" * 100)))
    for mark, place in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        struct.pack_into("<H", content, content.index(mark) + place, 98)
    fault = told(bytes(content), tmp_path)
    assert fault.code == "fmu:damaged" and "compression" in fault.message


def test_a_full_disk_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_model(made(("a", b"x")), "fmus.pump")
    opened: Any = Path.open

    def full(self: Path, mode: str) -> Any:
        return open("/dev/full", "wb", buffering=0) if mode == "xb" else opened(self, mode)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"):
        archive.unpack(tmp_path / "fmu")


def test_nor_is_a_disk_that_has_no_room_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, make = open_model(made(("a/b", b"x")), "fmus.pump"), Path.mkdir

    def full(self: Path, *given: Any, **more: Any) -> None:
        if self.name == "a":
            raise OSError(errno.ENOSPC, "No space left on device")
        make(self, *given, **more)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="No space left"):
        archive.unpack(tmp_path / "fmu")
