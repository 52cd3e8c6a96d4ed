"""Refusals are counted once each, whatever becomes of the log between two looks."""

from __future__ import annotations

from pathlib import Path

from servitwin.engines.bus.refusals import Refusals


def _line(n: int) -> bytes:
    return b'[7] 2026/11/27 11:34:20.778698 [ERR] 127.0.0.1:4 - mid:%d - "m" - Publish Violation - Subject "x"\n' % n


def _write(log: Path, *numbers: int) -> None:
    with log.open("ab") as file:
        file.writelines(_line(n) for n in numbers)


def _put_aside(log: Path) -> None:
    log.replace(log.with_name("nats.log.1"))


def _count(refusals: Refusals) -> int:
    return int(refusals.look()["counts"]["topic:not-permitted"])


def test_lines_between_the_last_look_and_the_rotation_are_counted_and_none_twice(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    _write(log, 1, 2)
    refusals = Refusals(log)
    assert _count(refusals) == 2
    _write(log, 3)
    _put_aside(log)
    assert _count(refusals) == 3, "the third was written after the look and put aside before the next"
    _write(log, 4, 5, 6, 7, 8)
    assert _count(refusals) == 8
    _put_aside(log)
    _write(log, *range(9, 20))
    assert _count(refusals) == 19, "a log that has outgrown the old position already"


def test_what_is_written_into_a_log_after_it_was_put_aside_counts_once(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    _write(log, 1, 2)
    refusals = Refusals(log)
    assert _count(refusals) == 2
    _put_aside(log)
    assert _count(refusals) == 2, "the next log is not there yet"
    _write(tmp_path / "nats.log.1", 3)
    _write(log, 4)
    assert _count(refusals) == 4
    _write(tmp_path / "nats.log.1", 5)
    assert _count(refusals) == 5
    _put_aside(log)
    _write(log, 6)
    assert _count(refusals) == 6


def test_one_that_begins_later_counts_both_logs_that_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    _write(log, 1, 2)
    _put_aside(log)
    _write(log, 3)
    assert _count(Refusals(log)) == 3


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    whole = _line(1)
    log.write_bytes(whole[:60])
    refusals = Refusals(log)
    assert _count(refusals) == 0
    with log.open("ab") as file:
        file.write(whole[60:])
    assert _count(refusals) == 1


def test_no_log_at_all_is_no_refusal(tmp_path: Path) -> None:
    assert _count(Refusals(tmp_path / "nats.log")) == 0
