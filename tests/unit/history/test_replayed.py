from servitwin.domain.observation import Quarantined
from servitwin.engines.history import DeltaWriter, DuckReader, mark_replayed

DAY = 86_400 * 10**9
NOW = 20_000 * DAY + 5


def entry(seq, code="signal:unknown", payload=b"{}"):
    return Quarantined(1, seq, 0, NOW + seq, "in.m.observations", "m", code, "why", "values.x", payload)


def test_replayed_entries_are_listed_and_counted_no_more_and_can_still_be_read(tmp_path):
    writer = DeltaWriter(tmp_path, shard=1, now=lambda: NOW)
    writer.commit([], [entry(1), entry(2, "value:wrong-type", b"\xff\x00"), entry(3)], {"S/1/1": 3}, {})
    reader = DuckReader(tmp_path)
    assert reader.quarantine_counts() == {"signal:unknown": 2, "value:wrong-type": 1}
    mark_replayed(tmp_path, [(1, 1, 0), (1, 2, 0)], now=lambda: NOW + DAY)
    assert [q.seq for q in reader.quarantined()] == [3]
    assert reader.quarantine_counts() == {"signal:unknown": 1}
    again = reader.quarantined_entry("1-2-0")
    assert again == entry(2, "value:wrong-type", b"\xff\x00"), "nothing is ever thrown away"
    assert reader.quarantined_entry("1-9-0") is None
    writer.commit([], [entry(4)], {"S/1/1": 4}, {})
    assert [q.seq for q in reader.quarantined()] == [4, 3]
    mark_replayed(tmp_path, [], now=lambda: NOW)
    assert reader.quarantine_counts() == {"signal:unknown": 2}
