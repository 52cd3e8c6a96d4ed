"""Reader of the inspected batch, on a small one of its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from servitwin.connectors import recorded
from servitwin.connectors.recorded import open_recording, plugin
from servitwin.domain.command import Command
from servitwin.domain.instant import parse_instant
from servitwin.domain.state_time import Gap
from servitwin.sdk.connector import BrokenError, Connector
from servitwin.sdk.manifest import read_manifest

FIXTURES = Path(recorded.__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def batch():
    return open_recording("nist-batch", FIXTURES / "batch")


def values(batch, signal):
    return [(line.time, line.value) for line in batch.lines("mill07") if line.signal == signal]


def test_operations_count_and_only_inspected_parts_are_good_or_scrap(batch):
    at = parse_instant
    ends = [
        at("2021-05-03T08:10:00Z"),
        at("2021-05-03T08:28:00Z"),
        at("2021-05-03T08:31:00Z"),
        at("2021-05-03T09:05:00Z"),
    ]
    assert values(batch, "operations_done") == list(zip(ends, "1234", strict=True))
    assert [v for _, v in values(batch, "operations_good")] == ["1", "1", "1", "2"]
    assert [v for _, v in values(batch, "operations_scrap")] == ["0", "1", "1", "1"]
    assert values(batch, "inspection_result") == [(ends[1], "FAIL"), (ends[3], "PASS")]
    assert values(batch, "characteristics_pass") == [(ends[1], "0"), (ends[3], "2")]


def test_what_is_not_known_is_said(batch):
    said = "\n".join(batch.notes)
    assert "one result (passed: True) names no part and counts nowhere" in said
    assert "Lid: 2 of 3 recorded parts were inspected" in said
    assert "Lid 2 OP2 on mill07 has a single observation" in said


def test_ideal_cycle_is_the_shortest_whole_run(batch):
    production = batch.twin("mill07").type.production
    assert production.ideal_cycle_s == {"Lid OP1": 480.0, "Lid OP2": 300.0}
    assert (production.total, production.good, production.product) == ("operations_done", "operations_good", "product")


def test_time_between_operations_is_a_declared_gap(batch):
    at = parse_instant
    assert batch.twin("mill07").gaps[0] == Gap(
        at("2021-05-03T08:10:00Z"), at("2021-05-03T08:20:00Z"), "between recorded operations", "operations.csv"
    )
    assert len(batch.twin("mill07").gaps) == 4


def test_a_broken_line_is_handed_over_as_found(batch):
    broken = [line for line in batch.lines("mill07") if not line.signal]
    assert [(line.value, line.source) for line in broken] == [("not,a line", "operation_events.csv:5")]


def test_connector_plays_the_recording_and_reads_its_own_payloads():
    assert read_manifest(Path(recorded.__file__).parent).name == "recorded"
    config = {"kind": "nist-batch", "folder": str(FIXTURES / "batch")}
    assert plugin.check(config) == []
    assert [f.code for f in plugin.check({"kind": "x", "folder": "y", "z": 1})] == [
        "recording:option-unknown",
        "recording:kind-unknown",
    ]
    connector = plugin.connect(config)
    assert isinstance(connector, Connector)

    async def play():
        found = [pair async for pair in connector.observations()]
        machines = await connector.discover()
        with pytest.raises(BrokenError):
            await connector.send(Command("c", "u", "start", {}, "person", "a", 0, "sent"))
        await connector.close()
        await connector.close()
        return found, machines

    found, machines = asyncio.run(play())
    assert [m.id for m in machines] == ["mill07"]
    batches, faults = [], []
    for topic, payload in found:
        got, wrong = connector.decode(topic, payload, 0)
        batches += got
        faults += wrong
    assert [f.fault.code for f in faults] == ["payload:wrong-shape"]
    assert (
        sum(len(b.columns) for b in batches)
        == len(list(open_recording("nist-batch", FIXTURES / "batch").lines("mill07"))) - 1
    )
    assert connector.decode("a/b", b"{}", 0)[1][0].fault.code == "topic:unknown"
    assert connector.decode("servitwin/mill07/observations", b"{", 0)[1][0].fault.code == "payload:not-json"
    assert json.loads(found[1][1])["values"]["product"] == "Lid OP1"
