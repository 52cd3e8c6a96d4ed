"""Folders of the test bed's layout with other machines, other years and every fault seen in practice; and the figures
of replayed machines computed a second time, from the files alone, by code that shares nothing with servitwin."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from servitwin.client import Client
from tests.conftest import Node, shared_data

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
HEADER = "timestamp,dataitem,type,value"
WORDS = ("READY", "ACTIVE", "INTERRUPTED", "ACTIVE", "STOPPED", "FEED_HOLD", "UNAVAILABLE", "PROGRAM_COMPLETED")
WAITING = ("READY", "STOPPED", "PROGRAM_STOPPED", "PROGRAM_COMPLETED")
HELD = ("INTERRUPTED", "FEED_HOLD")
SECOND = 10**9


def replay(node: Node, folder: Path, *options: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "servitwin.bootstrap", "replay", "nist-sms", str(folder), "--data", str(node.data)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout, done.stderr


def nanoseconds(stamp: str) -> int | None:
    """UTC nanoseconds of ``2019-03-01T03:00:00.123456Z``; None for what is no such time."""
    whole, _, rest = stamp.removesuffix("Z").partition(".")
    try:
        seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except ValueError:
        return None
    return (seconds.days * 86_400 + seconds.seconds) * SECOND + int(rest.ljust(9, "0") or 0)


class ByHand:
    """Time of each word of EXECUTION between two times, outside the days that are declared missing."""

    def __init__(self, text: str, missing: list[str], item: str, begin: str, end: str) -> None:
        start, stop = nanoseconds(begin), nanoseconds(end)
        assert start is not None
        assert stop is not None
        steps: dict[int, str] = {}
        for row in list(csv.reader(io.StringIO(text)))[1:]:
            time = nanoseconds(row[0])
            if len(row) == 4 and row[1] == item and time is not None and start <= time < stop:
                steps[time] = row[3]  # the last row of a time holds
        gaps = []
        for day in missing:
            first = nanoseconds(f"{day[:4]}-{day[4:6]}-{day[6:]}T05:00:00Z")
            assert first is not None
            gaps.append((first, first + 86_400 * SECOND))
        self.span = stop - start
        self.word: Counter[str] = Counter()
        for a, b in itertools.pairwise([*sorted(steps), stop]):
            hidden = sum(max(0, min(b, e) - max(a, s)) for s, e in gaps)
            self.word[steps[a]] += b - a - hidden

    def sum(self, *words: str) -> int:
        return sum(self.word[w] for w in words)

    def check(self, client: Client, twin: str, begin: str, end: str) -> None:
        """State totals, five formulas and three contracts' own words, against what the node says."""
        producing, failed, standby = self.sum("ACTIVE"), self.sum(*HELD), self.sum(*WAITING)
        known = producing + failed + standby
        totals = client.states(twin, from_=begin, to=end).totals
        expected = {"producing": producing, "failed": failed, "standby": standby, "unknown": self.span - known}
        assert {s: t for s, t in totals.items() if t} == {s: t / SECOND for s, t in expected.items() if t}
        formulas = {
            "iso22400@1": (producing, known),
            "en15341-m10@1": (producing + standby, known),
            "en15341-m12@1": (producing, producing + failed),
            "en15341-pha8@1": (producing, producing + failed),
            "vdi3423@1": (known - failed, known),
        }
        for formula, (numerator, denominator) in formulas.items():
            found = client.availability(twin, formula=formula, from_=begin, to=end)
            assert found.numerator_s == numerator / SECOND, formula
            assert found.denominator_s == denominator / SECOND, formula
            assert found.unknown_s == (self.span - known) / SECOND, formula
            assert found.value == (float(Fraction(numerator, denominator)) if denominator else None), formula
        # what three contracts would pay for
        states = client.states(twin, from_=begin, to=end).intervals
        stopped = sum(
            (nanoseconds(i.to) or 0) - (nanoseconds(i.from_) or 0) for i in states if i.word == "STOPPED"
        )  # fmt: skip
        assert stopped == self.sum("STOPPED")
        only_held_is_bad = Fraction(known - failed, known)
        stopped_is_bad_too = Fraction(known - failed - self.sum("STOPPED"), known)
        only_active_is_good = Fraction(producing, known)
        t = {s: round(v * SECOND) for s, v in totals.items()}
        whole = sum(v for s, v in t.items() if s != "unknown")
        assert abs(Fraction(whole - t.get("failed", 0), whole) - only_held_is_bad) < Fraction(1, 10**9)
        assert abs(Fraction(whole - t.get("failed", 0) - stopped, whole) - stopped_is_bad_too) < Fraction(1, 10**9)
        assert abs(Fraction(t.get("producing", 0), whole) - only_active_is_good) < Fraction(1, 10**9)


def odd_rows() -> tuple[list[str], Counter[str]]:
    """Two years of a machine that is in no Devices.xml, and how many rows have which fault."""
    rows: list[str] = []
    wrong: Counter[str] = Counter()
    time = datetime(2019, 3, 1, tzinfo=UTC)
    for i in range(5000):
        time += timedelta(hours=3, microseconds=123_456)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        rows.append(f"{stamp},execution,EXECUTION,{WORDS[i % 8]}")
        if i % 10 == 0:
            rows.append(rows[-1])
        if i % 50 == 0:
            rows.append(f"{stamp},parts,PART_COUNT,{i}")
        if i % 400 == 0:
            rows.append(f"{stamp},system,SYSTEM,FAULT|123|1||pump")
        if i % 500 == 0:
            rows.append(f'{stamp},program,PROGRAM,"O1, ""second"" side"')
        faults = {
            "time:before-commissioning": (
                700,
                f"{2002 if i % 1400 else 2000}-01-01T00:00:00Z,execution,EXECUTION,ACTIVE",
            ),
            "time:not-rfc3339": (301, "garbage,execution,EXECUTION,ACTIVE"),
            "payload:wrong-shape": (303, "2019-05-05T00:00:00Z,short"),
            "time:in-future": (305, "2091-05-05T00:00:00Z,execution,EXECUTION,ACTIVE"),
        }
        for code, (every, row) in faults.items():
            if i % every == 0:
                rows.append(row)
                wrong[code] += 1
    rows.append("2019-03-01T03:00:00.123456Z,execution,EXECUTION,STOPPED")  # the clock jumps back, and that time again
    return rows, wrong


def test_another_machine_in_other_years_with_all_that_can_be_wrong(node: Node, tmp_path: Path) -> None:
    rows, wrong = odd_rows()
    text = "\n".join([HEADER, *rows]) + "\n"
    events = tmp_path / "events"
    events.mkdir()
    (events / "Okuma-7.csv").write_text(text)
    (tmp_path / "missing_days.txt").write_text("Okuma-7-20190310-20190311.txt\nOkuma-7-20190311-20190312.txt\n")
    packed = gzip.compress(text.encode())
    (events / "Cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    (events / "Empty.csv").write_text("")
    code, _, said = replay(node, tmp_path)
    assert code == 2
    assert "Cut.csv.gz: Compressed file ended" in said
    assert "Empty.csv is empty" in said, "all that is wrong is told at once"
    with Client.local(node.data) as client:
        assert not list(client.twins()), "nothing is registered of a folder that cannot be replayed"
    code, told, said = replay(node, tmp_path, "--machine", "Okuma-7")
    assert code == 0, "files of other machines do not matter: " + said
    counts = json.loads(told.splitlines()[-1])
    bad = sum(wrong.values())
    assert counts == {
        "read": len(rows), "published": len(rows), "stored": len(rows) - bad, "quarantined": bad, "repeated": 0
    }  # fmt: skip
    assert "okuma-7: 1 declared gaps, 48 h" in said
    begin, end = "2019-03-01T00:00:00Z", "2021-01-01T00:00:00Z"
    with Client.local(node.data) as client:
        assert client.quarantine_counts(twin="okuma-7") == wrong
        by_hand = ByHand(text, ["20190310", "20190311"], "execution", begin, end)
        by_hand.check(client, "okuma-7", begin, end)
        first = client.states("okuma-7", from_=begin, to=end)
        code, told, _ = replay(node, tmp_path, "--machine", "okuma-7")
        assert json.loads(told.splitlines()[-1]) == {**counts, "stored": 0, "quarantined": 0, "repeated": len(rows)}
        by_hand.check(client, "okuma-7", begin, end)
        assert client.states("okuma-7", from_=begin, to=end).intervals == first.intervals


def test_two_real_machines_counted_again_by_hand(node: Node) -> None:
    folder = shared_data("nist_sms_mtconnect")
    assert replay(node, folder, "--machine", "Hurco01", "--machine", "GFAgie01")[0] == 0
    missing = (folder / "missing_days.txt").read_text().split()
    begin, end = "2015-08-28T10:56:27Z", "2019-01-01T00:00:00Z"
    with Client.local(node.data) as client:
        for machine, item in (("Hurco01", "Program_Status"), ("GFAgie01", "execution")):
            text = gzip.decompress((folder / "events" / f"{machine}.csv.gz").read_bytes()).decode()
            days = [line.split("-")[1] for line in missing if line.startswith(machine + "-")]
            ByHand(text, days, item, begin, end).check(client, machine.lower(), begin, end)
