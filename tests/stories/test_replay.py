"""Real recorded machines through the whole node: everything counted, figures as computed here from the files alone."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from servitwin.client import Client
from servitwin.domain.instant import NS, parse_instant
from tests.conftest import Node, shared_data
from tests.stories.waiting import Api

SMS = "nist_sms_mtconnect"
END = "2019-01-01T00:00:00Z"
MACHINES = ("GFAgie01", "Hurco01", "Hurco02", "Hurco03", "Hurco04", "Hurco06", "Mazak01", "Mazak03")
WAITING = {"READY", "STOPPED", "PROGRAM_STOPPED", "PROGRAM_COMPLETED"}


@pytest.fixture
def sms() -> Path:
    """The test bed's folder; asked for before a node is started, so that a skipped test starts none."""
    return shared_data(SMS)


@pytest.fixture
def batch() -> Path:
    """The inspected batch."""
    return shared_data("nist_mtc_batch")


def rows(machine: str) -> list[list[str]]:
    with gzip.open(shared_data(SMS) / "events" / f"{machine}.csv.gz", "rt", newline="") as file:
        return list(csv.reader(file))[1:]


def replay(node: Node, kind: str, folder: Path, *options: str, patience_s: float = 150) -> tuple[dict[str, int], str]:
    """The console command as a person runs it: counts of the last line, and what it said."""
    command = [sys.executable, "-m", "servitwin.bootstrap", "replay", kind, str(folder), "--data", str(node.data)]
    try:
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=patience_s)
    except subprocess.TimeoutExpired as e:
        raise AssertionError(f"the replay did not end: {(e.stderr or b'').decode()}\n{node.logs()}") from None
    assert done.returncode == 0, done.stderr + node.logs()
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@dataclass
class Told:
    """What a file says of a machine until the end of 2018, computed without servitwin: seconds as exact nanoseconds."""

    lines: int
    impossible: int  # observations before the device model was made
    begin: str
    words: Counter[str]
    outside_gaps: Counter[str]


def told(machine: str, execution: str) -> Told:
    begin = parse_instant("2015-08-28T10:56:27Z")
    found = [(parse_instant(stamp), item, value) for stamp, item, _, value in rows(machine)]
    possible = [row for row in found if row[0] >= begin]
    steps = {time: value for time, item, value in possible if item == execution}
    gaps = []
    for line in (shared_data(SMS) / "missing_days.txt").read_text().split():
        name, day, _ = line.removesuffix(".txt").split("-")
        if name == machine:
            start = parse_instant(f"{day[:4]}-{day[4:6]}-{day[6:]}T05:00:00Z")
            gaps.append((start, start + 24 * 3600 * NS))
    words: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    times = [*sorted(steps), parse_instant(END)]
    for start, end in itertools.pairwise(times):
        word = steps[start]
        words[word] += end - start
        outside[word] += end - start - sum(max(0, min(end, e) - max(start, s)) for s, e in gaps)
    first = str(min(time for time, _, _ in possible))
    return Told(len(found), len(found) - len(possible), first, words, outside)


def words_of(client: Client, twin: str, signal: str, begin: str) -> dict[str, float]:
    answer = client.observations(twin, signal, from_=begin, to=END, aggregate="duration")
    assert answer.seconds is not None
    return answer.seconds


def figures(client: Client, twin: str, begin: str) -> dict[str, object]:
    """Figures to the last digit, without the cut, which names streams and not results."""
    formulas = ("iso22400@1", "en15341-m10@1", "en15341-m12@1", "en15341-pha8@1", "vdi3423@1")
    found = {f: client.availability(twin, formula=f, from_=begin, to=END) for f in formulas}
    states = client.states(twin, from_=begin, to=END)
    return {
        "availability": {f: (a.value, a.numerator_s, a.denominator_s, a.unknown_s) for f, a in found.items()},
        "totals": states.totals,
        "intervals": len(states.intervals),
    }


def check_machine(client: Client, machine: str, execution: str) -> dict[str, object]:
    """History and figures of one machine against the file."""
    twin, expected = machine.lower(), told(machine, execution)
    seconds = words_of(client, twin, execution, expected.begin)
    unknown = seconds.pop("", 0.0) + seconds.pop("UNAVAILABLE", 0.0)
    assert seconds == pytest.approx({w: n / NS for w, n in expected.words.items() if w != "UNAVAILABLE"}, abs=1e-6)
    known = sum(n for w, n in expected.words.items() if w != "UNAVAILABLE")
    assert unknown == pytest.approx((parse_instant(END) - int(expected.begin) - known) / NS, abs=1e-6)
    found = figures(client, twin, expected.begin)
    totals = found["totals"]
    assert isinstance(totals, dict)
    out = expected.outside_gaps
    assert totals.get("producing", 0.0) == pytest.approx(out["ACTIVE"] / NS, abs=1e-6)
    assert totals.get("failed", 0.0) == pytest.approx((out["INTERRUPTED"] + out["FEED_HOLD"]) / NS, abs=1e-6)
    assert totals.get("standby", 0.0) == pytest.approx(sum(out[w] for w in WAITING) / NS, abs=1e-6)
    assert sum(totals.values()) == pytest.approx((parse_instant(END) - int(expected.begin)) / NS, abs=1e-3)
    return found


def test_a_lathe_with_a_clock_glitch(sms: Path, node: Node) -> None:
    """Hurco01: small, and with stamps of 2002."""
    counts, said = replay(node, "nist-sms", sms, "--machine", "Hurco01")
    expected = told("Hurco01", "Program_Status")
    assert expected.impossible > 0
    stored = expected.lines - expected.impossible
    assert counts == {
        "read": expected.lines, "published": expected.lines, "stored": stored,
        "quarantined": expected.impossible, "repeated": 0,
    }  # fmt: skip
    assert "registered twin hurco01 (Hurco VMX 24 #1), type hurco-vmx24@1 from Devices.xml" in said
    with Client.local(node.data) as client:
        assert [t.id for t in client.twins() if t.id == "hurco01"] == ["hurco01"]
        first = check_machine(client, "Hurco01", "Program_Status")
        entries = list(client.quarantine(twin="hurco01"))
        assert {e.code for e in entries} == {"time:before-commissioning"}
        again, said = replay(node, "nist-sms", sms, "--machine", "hurco01")
        assert again == {**counts, "stored": 0, "quarantined": 0, "repeated": expected.lines}
        assert "registered" not in said
        assert check_machine(client, "Hurco01", "Program_Status") == first
        assert [e.id for e in client.quarantine(twin="hurco01")] == [e.id for e in entries]


def test_the_inspected_batch(batch: Path, node: Node) -> None:
    """Parts that nobody inspected are of unknown quality, and the machine has all three factors of OEE."""
    counts, said = replay(node, "nist-batch", batch)
    assert counts["read"] == counts["published"] == counts["stored"]
    assert "Plate: 0 of 14 recorded parts were inspected" in said
    with Client.local(node.data) as client:
        state = client.state("hurco02").values
        with (batch / "operations.csv").open() as file:
            operations = [r for r in csv.DictReader(file) if r["machine"] == "Hurco02"]
        done = sum(r["first_ts"] != r["last_ts"] for r in operations)
        assert state["operations_done"].value == done
        good, scrap = state["operations_good"].value, state["operations_scrap"].value
        assert isinstance(good, float)
        assert isinstance(scrap, float)
        assert scrap == sum(r["part"] == "Box" and r["instance"] == "7" for r in operations), "only box 7 failed"
        uninspected = sum(
            (r["part"], r["instance"]) == ("Box", "1") or r["part"] == "Plate"
            for r in operations
            if r["first_ts"] != r["last_ts"]
        )
        assert good + scrap == done - uninspected
        found = client.oee("hurco02", from_="2017-02-02T00:00:00Z", to="2017-02-16T00:00:00Z")
        assert found.availability is not None
        assert 0 < found.availability <= 1
        assert found.performance is not None


@pytest.mark.timeout(600)
def test_three_contracts_on_one_recording(sms: Path, node: Node) -> None:
    """Mazak01 to 2018: 96.8, 62.3 and 13.7 % of known hours, by which words count as bad; missing days left in."""
    counts, said = replay(node, "nist-sms", sms, "--machine", "Mazak01")
    expected = told("Mazak01", "execution")
    assert (counts["read"], counts["stored"], counts["quarantined"]) == (247_345, 247_345, 0)
    assert expected.lines == counts["read"]
    assert "data item Mazak01-dtop_1 is signal avail" in said
    with Client.local(node.data) as client:
        check_machine(client, "Mazak01", "execution")
        seconds = words_of(client, "mazak01", "execution", expected.begin)
        known = sum(s for w, s in seconds.items() if w not in ("", "UNAVAILABLE"))
        held = seconds["INTERRUPTED"] + seconds["FEED_HOLD"]
        assert 1 - held / known == pytest.approx(0.968, abs=0.0005)
        assert 1 - (held + seconds["STOPPED"]) / known == pytest.approx(0.623, abs=0.0005)
        assert seconds["ACTIVE"] / known == pytest.approx(0.137, abs=0.0006)
        assert known / (known + sum(seconds.get(w, 0.0) for w in ("", "UNAVAILABLE"))) == pytest.approx(0.12, abs=0.01)
        compared = client.definitions("mazak01", from_=expected.begin, to=END)
        assert compared["label"] == "exercise"
        values = [d["value"] for d in compared["definitions"]]
        assert values == pytest.approx([0.968, 0.623, 0.137], abs=0.0006)
        # The absent day files are the busiest days: what lay before them does not go on through them.
        assert 80 * 86_400 < compared["declared_gaps_s"] <= 95 * 86_400
        without = [d["denominator_without_gaps_s"] for d in compared["definitions"]]
        assert all(w < d["denominator_s"] for w, d in zip(without, compared["definitions"], strict=True))


AZURE_CONTRACT = """
contract: fleet-995
version: 1
title: Exercise on ten machines of the recorded fleet
provider: maker
customer: works
machines: [azure-001, azure-002, azure-003, azure-004, azure-005, azure-006, azure-007, azure-008, azure-009, azure-010]
period: {from: 2015-10-01, to: 2016-01-01, time_zone: UTC}
currency: EUR
price: {fee: 10000, per: month}
guarantee:
  level: 99.5
  formula: en15341-m10@1
  settle: month
  credit: {form: linear, step: 0.1, percent: 1, cap: 20}
  gaps: {rule: pro_rata, telemetry: neither}
  exclusions: [{kind: planned_work}]
"""


def test_a_year_of_failures_is_priced_on_nine_months_and_settled_on_three(tmp_path: Path, node: Node) -> None:
    """How wrong the price was is shown, and why: the machines' own failures of the last three months."""
    folder = shared_data("azure_pdm")
    names = [f"azure-{n:03}" for n in range(1, 11)]
    chosen = [word for name in names for word in ("--machine", name)]
    counts, said = replay(node, "azure-pdm", folder, *chosen)
    assert counts["read"] == counts["published"] == counts["stored"] + counts["quarantined"]
    assert "assumed, not measured" in said
    again, _ = replay(node, "azure-pdm", folder, *chosen)
    assert again == {**counts, "stored": 0, "quarantined": 0, "repeated": counts["read"]}
    api = Api.of(node)
    for party, kind in (("maker", "manufacturer"), ("works", "customer")):
        api.post("/parties", {"id": party, "name": party, "kind": kind})
    sides = [Api.of(node, api.token(p, "service_manager", "procurement")["token"]) for p in ("maker", "works")]
    sides[0].ask("POST", "/contracts", 201, content=AZURE_CONTRACT, headers={"Content-Type": "application/yaml"})
    history = {"from": "2015-01-02T00:00:00Z", "to": "2015-10-01T00:00:00Z"}
    price = sides[0].get("/contracts/fleet-995/price", **history, years=20_000)
    failures = sum(1 for row in csv.DictReader((folder / "PdM_failures.csv").open())
                   if int(row["machineID"]) <= 10 and row["datetime"] < "2015-10-01")  # fmt: skip
    assert price["up"]["failures"] == pytest.approx(failures, rel=0.1), "stops that touch are one"
    assert price["down"]["mean_h"] == pytest.approx(8, rel=0.1), "as assumed"
    for side in sides:
        side.post("/contracts/fleet-995/signatures", {})
    settled = [sides[0].post(f"/contracts/fleet-995/settlements/2015-{m}", {}) for m in (10, 11, 12)]
    credit = sum(float(s["credit"]) for s in settled)
    expected = 3 * float(price["expected_credit"])
    assert credit > 0
    assert expected > 0
    # What came due lies within what the price itself says of its spread, over thirty machine-months.
    sd = 30**0.5 * price["process_sd"] * 1000
    assert abs(credit - expected) < 4 * sd, (credit, expected, sd)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_all_eight_machines_twice(sms: Path, node_factory: Callable[..., Node]) -> None:
    """Two replays into one node, and one into another node, give the same figures to the last digit."""
    items = {m: "execution" if not m.startswith("Hurco") else "Program_Status" for m in MACHINES}
    lines = sum(len(rows(m)) for m in MACHINES)
    impossible = told("Hurco01", "Program_Status").impossible
    whole = {"read": lines, "published": lines, "stored": lines - impossible, "quarantined": impossible, "repeated": 0}
    results = []
    for _ in range(2):
        node = node_factory()
        assert replay(node, "nist-sms", sms, patience_s=900)[0] == whole
        with Client.local(node.data) as client:
            results.append({m: check_machine(client, m, item) for m, item in items.items()})
            again, _ = replay(node, "nist-sms", sms, patience_s=900)
            assert again == {**whole, "stored": 0, "quarantined": 0, "repeated": lines}
            results.append({m: figures(client, m.lower(), told(m, items[m]).begin) for m in MACHINES})
        node.stop()
    assert all(r == results[0] for r in results)
