from __future__ import annotations

import json
from typing import Any

import pytest

from servitwin.domain.instant import format_instant
from servitwin.domain.twin import Twin
from servitwin.usecases.ingest import Shared
from tests.unit.ingest.given import NOW, Feed, FewTwins, S, rows_of, values_of


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "payload:not-json"),
        (b"\xff\xfe", "payload:not-json"),
        (b"[1, 2]", "payload:wrong-shape"),
        (b"{}", "payload:wrong-shape"),
        ({"time": NOW}, "payload:wrong-shape"),
        ({"time": NOW, "values": {}}, "payload:wrong-shape"),
        ({"time": NOW, "values": {"load": 1}, "quality": "superb"}, "payload:wrong-shape"),
        (b'{"values": {"load": 1}, "time": 1e999}', "time:not-rfc3339"),
        ({"time": "2026-13-01T00:00:00Z", "values": {"load": 1}}, "time:not-rfc3339"),
        ({"time": "2026-09-21T08:15:00", "values": {"load": 1}}, "time:not-rfc3339"),
        ({"time": NOW + 301 * S, "values": {"load": 1}}, "time:in-future"),
        ({"time": NOW - 1001 * S, "values": {"load": 1}}, "time:before-commissioning"),
        ({"time": 0, "values": {"load": 1}}, "time:before-commissioning"),
        ({"time": 10**30, "values": {"load": 1}}, "time:out-of-range"),
        ({"time": NOW, "values": {"speed": 1}}, "signal:unknown"),
        ({"time": NOW, "values": {"_state": "producing"}}, "signal:unknown"),
        ({"time": NOW, "values": {"load": "7"}}, "value:wrong-type"),
        ({"time": NOW, "values": {"load": True}}, "value:wrong-type"),
        ({"time": NOW, "values": {"load": [1]}}, "value:wrong-type"),
        ({"time": NOW, "values": {"door": 1}}, "value:wrong-type"),
        ({"time": NOW, "values": {"axis": "panic|1"}}, "value:wrong-type"),
        ({"time": NOW, "values": {"program": "x" * 10_000}}, "payload:too-long"),
        ({"time": NOW, "values": {"load": float("nan")}}, "value:not-finite"),
        ({"time": NOW, "values": {"load": float("-inf")}}, "value:not-finite"),
        ({"time": NOW, "values": {"load": 10**400}}, "value:not-finite"),
        ({"time": NOW, "values": {"temperature": 201}}, "value:impossible"),
        ({"time": NOW, "values": {"mode": "turbo"}}, "value:impossible"),
        ({"time": NOW, "values": {"load": 1}, "units": {"load": "Cel"}}, "unit:not-convertible"),
        ({"time": NOW, "values": {"mode": "auto"}, "units": {"mode": "s"}}, "unit:not-convertible"),
        ({"times": [NOW, NOW], "values": {"load": [1]}}, "batch:lengths-differ"),
        ({"times": [], "values": {"load": []}}, "payload:wrong-shape"),
    ],
)
@pytest.mark.parametrize("known_shape", [False, True], ids=["first", "after good ones"])
def test_what_is_wrong_goes_to_quarantine_whole_and_by_its_code(payload: Any, code: str, known_shape: bool) -> None:
    feed = Feed()
    if known_shape:
        feed.send({"time": NOW, "values": {"load": 1.0}}, {"time": NOW, "values": {"load": 1.0}})
    block = feed.send(payload)
    assert [q.code for q in block.quarantined] == [code], block.quarantined
    entry = block.quarantined[0]
    assert entry.payload == (payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    assert entry.message
    assert entry.twin == "mill-1"
    assert rows_of(block.rows) == []


def test_a_faulty_value_does_not_take_its_neighbours_with_it() -> None:
    block = Feed().send(
        {"time": NOW, "values": {"temperature": 500, "load": 2, "speed": 1, "mode": "auto", "door": "open"}}
    )
    assert values_of(block) == {"load": 2, "mode": "auto"}
    (entry,) = block.quarantined
    assert entry.where.split(",") == ["values.door", "values.speed", "values.temperature"]


def test_a_seq_that_is_no_count_is_told_and_the_values_are_kept() -> None:
    block = Feed().send({"time": NOW, "values": {"load": 1}, "seq": -1})
    assert values_of(block) == {"load": 1}
    assert [(q.code, q.where) for q in block.quarantined] == [("payload:wrong-shape", "seq")]


def test_one_bad_time_of_a_batch_costs_only_its_samples() -> None:
    block = Feed().send(
        {"times": [NOW, "noon", NOW + 999 * S, NOW + 1], "values": {"load": [1, 2, 3, 4], "mode": ["auto"]}}
    )
    assert [(r[5], r[7]) for r in rows_of(block.rows)] == [(NOW, 1), (NOW + 1, 4)]
    (entry,) = block.quarantined
    assert {"times[1]", "values.mode"} <= set(entry.where.split(","))


def test_unavailable_is_kept_as_bad_quality_without_a_value() -> None:
    block = Feed().send(
        {"time": NOW, "values": {"load": None, "mode": "UNAVAILABLE", "axis": "UNAVAILABLE", "door": None}}
    )
    assert [(r[7], r[8]) for r in rows_of(block.rows)] == [(None, 2)] * 4
    assert not block.quarantined


def test_units_are_converted() -> None:
    block = Feed().send(
        {"time": NOW, "values": {"temperature": 212, "load": 1500}, "units": {"temperature": "[degF]", "load": "N"}}
    )
    assert values_of(block) == {"temperature": pytest.approx(100), "load": 1.5}


def test_a_missing_time_is_the_time_of_receipt_and_uncertain() -> None:
    (row,) = rows_of(Feed().send({"values": {"load": 1}}).rows)
    assert (row[5], row[8]) == (NOW, 1)


def test_times_as_text_keep_their_nanoseconds() -> None:
    feed = Feed()
    times = [NOW + i * 1_234_567 for i in range(20)]
    block = feed.send(*({"time": format_instant(t), "values": {"load": 1}} for t in times))
    assert [r[5] for r in rows_of(block.rows)] == times
    assert feed.shared.counters.fast == 19


def test_a_twin_without_a_type_takes_any_signal_and_an_unknown_twin_none() -> None:
    feed = Feed()
    assert values_of(feed.send({"time": NOW, "values": {"a.b": 1, "c": "x", "d": False}}, twin="free-1")) == {
        "a.b": 1,
        "c": "x",
        "d": False,
    }
    assert [q.code for q in feed.send({"time": NOW, "values": {"a b": 1}}, twin="free-1").quarantined] == [
        "signal:unknown"
    ]
    assert [q.code for q in feed.send({"time": NOW, "values": {"a": 1}}, twin="nobody").quarantined] == ["twin:unknown"]


def test_the_first_message_of_a_twin_may_be_faster_than_the_word_that_it_was_registered() -> None:
    registry = FewTwins()
    feed = Feed(Shared(registry))
    registry.registered.append(Twin("uid-9", "fresh-1", "machine"))
    assert values_of(feed.send({"time": NOW, "values": {"a": 1}}, twin="fresh-1")) == {"a": 1}


def test_a_new_twin_is_known_once_the_registry_has_changed() -> None:
    registry = FewTwins()
    shared = Shared(registry)
    feed = Feed(shared)
    sample = {"time": NOW, "values": {"a": 1}}
    assert feed.send(sample, twin="new-1").quarantined
    registry.twins["new-1"] = Twin("uid-9", "new-1", "machine")
    shared.registry_changed()
    assert values_of(feed.send(sample, twin="new-1")) == {"a": 1}


def test_a_will_becomes_the_signal_connection() -> None:
    feed = Feed()
    feed.ingest.feed([(1, b"$MQTT.msgs.servitwin.mill-1.connection", b"offline", NOW)])
    assert values_of(feed.ingest.take()) == {"_connection": "offline"}


def test_commands_and_their_answers_pass_by_and_move_the_position() -> None:
    feed = Feed()
    feed.ingest.feed([(7, b"$MQTT.msgs.servitwin.mill-1.commands.abc.ack", b'{"status": "done"}', NOW)])
    block = feed.ingest.take()
    assert (block.last, block.rows, block.quarantined) == (7, [], [])


def test_foreign_topics_are_read_through_a_mapping_and_others_named() -> None:
    mapping = {"topic": "plant/+/telemetry", "twin": "{1}", "time": "ts", "time_unit": "ms", "values": "values"}
    feed = Feed(mappings=[mapping])
    payload = json.dumps({"ts": NOW // 10**6, "n": 1, "values": {"load": 3}}).encode()
    feed.ingest.feed([(1, b"$MQTT.msgs.plant.mill-2.telemetry", payload, NOW), (2, b"$MQTT.msgs.x//y", b"1", NOW)])
    block = feed.ingest.take()
    assert [(r[3], r[4], r[5], r[7]) for r in rows_of(block.rows)] == [("uid-2", "load", NOW, 3)]
    assert [(q.code, q.source) for q in block.quarantined] == [("topic:unknown", "x.y")]


def test_counts_of_a_session_are_in_values() -> None:
    feed = Feed()
    for seq, values in (
        (1, {"load": 1, "door": True}),
        (2, {"load": "x", "door": True}),
        (1, {"load": 1, "door": True}),
    ):
        feed.send({"time": NOW, "values": values, "session": "s", "seq": seq})
    feed.send({"time": "noon", "values": {"load": 1}, "session": "s", "seq": 3})
    assert feed.shared.session("uid-1", "s") == {"messages": 4, "stored": 3, "quarantined": 2, "repeated": 2}
