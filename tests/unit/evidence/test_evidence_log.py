"""The log on a disk: whole batches or nothing, one writer, many readers, and no silent loss."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from servitwin.domain.error import ConflictError, UnavailableError
from servitwin.engines.files import evidence_log
from servitwin.engines.files.evidence_log import EvidenceLog, EvidenceReader
from servitwin.engines.files.log_files import Lines, replace_file
from servitwin.engines.files.log_heads import LogHeads, copy_log
from servitwin.proof.log.merkle import MemoryTree, is_consistent, is_included, leaf_hash

ROW = np.dtype([("size", "<u4")])


def describe(entry: bytes) -> bytes:
    return len(entry).to_bytes(4, "little")


def opened(folder: Path) -> EvidenceLog:
    return EvidenceLog(folder, ROW, describe)


def entries_of(log: EvidenceReader) -> list[bytes]:
    return list(log.entries(0, len(log)))


def check_whole(log: EvidenceReader, entries: list[bytes]) -> None:
    """Everything that is derived fits the entries."""
    assert entries_of(log) == entries
    assert log.root() == MemoryTree([leaf_hash(e) for e in entries]).root()
    assert log.catalogue()["size"].tolist() == [len(e) for e in entries]


def test_what_was_appended_is_read_by_others_and_after_opening_again(tmp_path: Path) -> None:
    log, entries = opened(tmp_path), []
    reader = EvidenceReader(tmp_path, ROW)
    assert len(reader) == 0
    for n in range(40):
        batch = [b"%d/%d" % (n, i) * i for i in range(n % 5)]
        assert log.append(batch) == len(entries)
        entries += batch
        check_whole(reader, entries)
    assert list(reader.entries(7, 3)) == entries[7:10]
    assert list(reader.entries(len(entries) - 1, 10)) == entries[-1:]
    size = len(entries)
    assert is_included(leaf_hash(entries[5]), 5, size, reader.inclusion(5, size), reader.root())
    assert is_consistent(9, size, reader.root(9), reader.root(), reader.consistency(9, size))
    with pytest.raises(ValueError, match="not"):
        reader.inclusion(0, size + 1)
    with pytest.raises(IndexError):
        reader.entry(size)
    log.close()
    with_more = opened(tmp_path)
    check_whole(with_more, entries)
    with_more.append([b"more"])
    check_whole(reader, [*entries, b"more"])
    with_more.close()


def test_one_writer(tmp_path: Path) -> None:
    log = opened(tmp_path)
    with pytest.raises(ConflictError) as e:
        opened(tmp_path)
    assert e.value.fault.code == "log:in-use"
    log.close()
    opened(tmp_path).close()


def test_a_file_that_ends_anywhere_is_repaired_to_the_last_whole_batch(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    batches = [[b"first"], [b"second", b"third" * 3], [b"", b"fourth"]]
    ends = [0]
    for batch in batches:
        log.append(batch)
        ends.append((tmp_path / "log" / "entries").stat().st_size)
    log._release()  # as a kill would: nothing is saved beside the entries
    whole = (tmp_path / "log" / "entries").read_bytes()
    for length in range(len(whole) + 1):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "log", copy)
        os.truncate(copy / "entries", length)
        kept = sum(end <= length for end in ends) - 1
        expected = [e for batch in batches[:kept] for e in batch]
        for _ in range(2):
            again = opened(copy)
            check_whole(again, expected)
            again._release()
        again = opened(copy)
        again.append([b"new"])
        check_whole(EvidenceReader(copy, ROW), [*expected, b"new"])
        again.close()
        shutil.rmtree(copy)
    # A power cut may leave a file that has grown and holds zeros, or a last batch that is not what was written.
    for tail in (b"\0" * 100, whole[ends[2] : -1] + b"?"):
        (tmp_path / "log" / "entries").write_bytes(whole[: ends[2]] + tail)
        again = opened(tmp_path / "log")
        check_whole(again, [b"first", *batches[1]])
        again._release()


def test_damage_before_the_tail_is_refused_and_not_cut_off(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for n in range(3):
        log.append([b"entry %d" % n])
    log._release()
    whole = (tmp_path / "entries").read_bytes()
    for place in range(len(whole) // 3):
        (tmp_path / "entries").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            log = opened(tmp_path)
        except UnavailableError as e:
            assert e.fault.code == "log:damaged"
        else:  # a length that leads beyond the end cannot be told from an unfinished batch: the head tells it
            assert 8 <= place < 16
            log._release()
        (tmp_path / "entries").write_bytes(whole)
    log = opened(tmp_path)
    log.close()
    os.truncate(tmp_path / "entries", len(whole) - 1)
    with pytest.raises(UnavailableError, match="bytes"):
        opened(tmp_path)


@pytest.mark.parametrize("lost", ["index", "catalogue", "level-00", "level-01", "checkpoint"])
def test_what_is_derived_is_made_again(tmp_path: Path, lost: str) -> None:
    log = opened(tmp_path)
    entries = [b"%d" % n for n in range(11)]
    log.append(entries)
    log.close()
    (tmp_path / lost).unlink()
    again = opened(tmp_path)
    check_whole(again, entries)
    again.close()
    again = opened(tmp_path)
    check_whole(again, entries)
    again.close()


def test_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_log, "CHECKPOINT_EVERY", 10)
    log, entries = opened(tmp_path), []
    for n in range(25):
        log.append([b"%d" % n])
        entries.append(b"%d" % n)
    log._release()
    again = opened(tmp_path)
    assert again._saved == 20
    check_whole(again, entries)
    again.close()


def test_a_copy_made_while_it_is_written(tmp_path: Path) -> None:
    log = opened(tmp_path / "log")
    log.append([b"a", b"b"])
    LogHeads(tmp_path / "log").save_head(b"head")
    LogHeads(tmp_path / "log").add("forks", b"{}")
    copy_log(tmp_path / "log", tmp_path / "copy")
    log.append([b"c"])
    copy = opened(tmp_path / "copy")
    check_whole(copy, [b"a", b"b"])
    assert LogHeads(tmp_path / "copy").head() == b"head"
    assert LogHeads(tmp_path / "copy").lines("forks") == [b"{}"]
    copy_log(tmp_path / "nothing", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    copy.close()
    log.close()


def test_a_line_that_was_not_finished_is_written_over(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "x.jsonl")
    lines.add(b"one")
    with (tmp_path / "x.jsonl").open("ab") as file:
        file.write(b"tw")
    assert lines.all() == [b"one"]
    lines.add(b"three")
    assert lines.all() == [b"one", b"three"]
    replace_file(tmp_path / "y", b"1")
    replace_file(tmp_path / "y", b"2")
    assert (tmp_path / "y").read_bytes() == b"2"


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.unit.evidence.test_evidence_log import opened
log = opened(Path(sys.argv[1]))
n = len(log)
while True:
    first = log.append([b"%d" % i * 50 for i in range(n, n + 7)])
    n += 7
    print(n, flush=True)
"""


def test_killed_at_any_moment_nothing_that_was_told_is_lost(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    told = 0
    for round_ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), root], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(3 + 5 * round_):
            told = int(process.stdout.readline())
        time.sleep(0.003 * round_)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        told = int(rest[-1]) if rest else told
        log = opened(tmp_path)
        assert len(log) >= told
        assert len(log) % 7 == 0
        check_whole(log, [b"%d" % i * 50 for i in range(len(log))])
        log._release()
