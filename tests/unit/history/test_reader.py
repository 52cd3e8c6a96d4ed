"""History's reader against a model in plain Python, and what it refuses."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model import Row, Value, rows_of
from worlds import FLAG, NUMBER, PAIRS, SPARSE, T0, TEXT, World, apps, commit_rows, define, worlds

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.observation import Series
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.history import DeltaWriter, DuckReader, carry, ipc_of
from servitwin.engines.history.scan import Found, View

AGGREGATIONS = ["mean", "min", "max", "first", "last", "tw_mean", "count", "sum"]
RANGES = st.sampled_from(
    [
        (T0, T0 + 40 * HOUR, HOUR),
        (T0 + 5 * HOUR, T0 + 29 * HOUR + 7, 2 * HOUR),
        (T0, T0 + 2 * DAY, DAY),
        (T0 + 17, T0 + 33 * HOUR, 7 * HOUR + 13),
        (T0 + 10 * HOUR, T0 + 11 * HOUR, HOUR // 4),
        (T0 - 3 * DAY, T0, DAY),
        (T0 + 3 * DAY, T0 + 5 * DAY, DAY),
    ]
)


def near(expected: list[float | None]) -> list[object]:
    return [None if e is None else pytest.approx(e, rel=1e-9, abs=1e-9) for e in expected]


def values(series: Series) -> list[tuple[int, Value]]:
    column: list[Value]
    if series.text is not None:
        column = list(series.text)
    elif series.flag is not None:
        column = [None if f < 0 else bool(f) for f in series.flag.tolist()]
    else:
        assert series.number is not None
        column = [None if math.isnan(v) else v for v in series.number.tolist()]
    return list(zip(series.time.tolist(), column, strict=True))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(world=worlds(), span=RANGES, before=st.booleans(), data=st.data())
def test_every_answer_is_the_one_of_the_model(
    world: World, span: tuple[int, int, int], before: bool, data: st.DataObject
) -> None:
    start, end, every = span
    cut = data.draw(
        st.one_of(st.none(), st.fixed_dictionaries({}, optional={0: st.integers(-1, 9), 1: st.integers(-1, 9)}))
    )
    with tempfile.TemporaryDirectory() as folder:
        world.write(Path(folder))
        reader = world.reader(Path(folder))
        known = {s: min(seq, (world.cut if cut is None else cut).get(s, -1)) for s, seq in world.cut.items()}
        model = world.model(known)
        if cut is None:
            assert reader.cut() == world.cut
        found = reader.many_series(PAIRS, start, end, before=before, cut=cut)
        for pair in PAIRS:
            assert values(found[pair]) == model.series(pair, start, end, before), pair
            assert {s: q for s, q in found[pair].cut.items() if q >= 0} == {s: q for s, q in known.items() if q >= 0}
        one = reader.series(*NUMBER, start, end, before=before, cut=cut)
        assert values(one) == values(found[NUMBER])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(carry, "_FEW_FILES", -1)  # as in a burst
            burst = reader.many_series(PAIRS, start, end, before=before, cut=cut)
        assert {p: values(s) for p, s in burst.items()} == {p: values(s) for p, s in found.items()}
        sampled = reader.downsample(PAIRS, start, end, every, AGGREGATIONS, cut)  # type: ignore[arg-type]
        spent = reader.durations([TEXT, FLAG], start, end, every, cut)
        for pair in PAIRS:
            edges = [(a, min(a + every, end)) for a in range(start, end, every)]
            for aggregation in AGGREGATIONS:
                buckets = sampled[pair][aggregation]
                expected = [model.bucket(pair, a, b, aggregation) for a, b in edges]
                assert [b.start for b in buckets] == [a for a, _ in edges]
                assert [b.value for b in buckets] == near(expected), (pair, aggregation)
                assert [b.count for b in buckets] == [model.bucket(pair, a, b, "count") for a, b in edges]
            if pair in spent:
                assert spent[pair] == [(a, model.durations(pair, a, b)) for a, b in edges], pair
                assert all(sum(parts.values()) == b - a for (_, parts), (a, b) in zip(spent[pair], edges, strict=True))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(world=worlds(), since=st.fixed_dictionaries({}, optional={0: st.integers(-1, 9), 1: st.integers(-1, 9)}))
def test_last_values_and_changes_are_those_of_the_model(world: World, since: dict[int, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world.write(Path(folder))
        reader = world.reader(Path(folder))
        expected = world.model().last()
        assert {(v.twin, v.signal): (v.time, v.value) for v in reader.last()} == expected
        of_one = {k: v for k, v in expected.items() if k[0] == "twin-b"}
        assert {(v.twin, v.signal): (v.time, v.value) for v in reader.last(["twin-b", "nobody"])} == of_one
        newer: dict[str, list[int]] = {}
        for r in world.rows:
            if r.seq > since.get(r.shard, -1):
                newer.setdefault(r.twin, []).append(r.time)
        assert reader.changed_since(since) == {t: (min(times), max(times)) for t, times in newer.items()}


def test_without_definitions_the_values_tell_the_type(tmp_path: Path) -> None:
    row = [
        Row("t", s, T0 + i, v, 0, 1, i) for i, (s, v) in enumerate([("n", 1.5), ("w", "x"), ("f", True), ("u", None)])
    ]
    commit_rows(tmp_path, row)
    reader = DuckReader(tmp_path)
    found = reader.many_series([("t", s) for s in "nwfu"], T0, T0 + 10)
    assert [values(found["t", s]) for s in "nwfu"] == [[(T0, 1.5)], [(T0 + 1, "x")], [(T0 + 2, True)], [(T0 + 3, None)]]


def test_a_reader_sees_each_commit_at_once_and_lives_without_tables(tmp_path: Path) -> None:
    reader = DuckReader(tmp_path)
    assert reader.cut() == {}
    assert (reader.last(), reader.quarantined(), reader.quarantine_counts(), reader.changed_since({})) == (
        [],
        [],
        {},
        {},
    )
    assert values(reader.series(*NUMBER, T0, T0 + DAY, before=True)) == []
    for seq in range(1, 4):
        commit_rows(tmp_path, [Row(*NUMBER, T0 + seq, float(seq), 0, seq, 0)])
        assert reader.cut() == {0: seq}
        assert len(reader.series(*NUMBER, T0, T0 + DAY)) == seq


def test_rows_committed_while_the_tail_is_asked_are_not_missed(tmp_path: Path) -> None:
    rows = [Row(*NUMBER, T0 + seq, float(seq), 0, seq, 0) for seq in range(1, 7)]
    commit_rows(tmp_path, rows[:2])
    asked = []

    def tail(shard: int, after: int) -> bytes | None:
        if shard:
            return None
        asked.append(after)
        if len(asked) == 1:  # the owner commits and lets go of rows between our snapshot and its answer
            commit_rows(tmp_path, rows[2:5])
        return ipc_of([rows_of(rows[5:])], {0: 6}, {0: 5})

    series = DuckReader(tmp_path, tail).series(*NUMBER, T0, T0 + DAY)
    assert values(series) == [(r.time, r.value) for r in rows]
    assert asked == [2, 5]


def test_rows_that_the_owner_still_keeps_are_not_read_twice(tmp_path: Path) -> None:
    """All entries of a condition hold, so that a doubled row would show."""

    def condition(_: str, signal: str) -> SignalDefinition:
        return SignalDefinition(signal, type="condition")

    rows = [Row("t", "alarms", T0, f"Fault|{i}|||", 0, 1, i) for i in range(2)]
    commit_rows(tmp_path, rows)
    world = World([rows], [Row("t", "alarms", T0 + 1, "Normal||||", 0, 2, 0)])
    reader = DuckReader(tmp_path, world.tail_of, define=condition)
    assert reader.series("t", "alarms", T0, T0 + 9).text == ["Fault|0|||", "Fault|1|||", "Normal||||"]
    exported = b"".join(reader.export([("t", "alarms")], T0, T0 + 9, "csv", {})).decode()
    assert exported.count("|||") == 3


def test_limit_keeps_the_first_rows(tmp_path: Path) -> None:
    commit_rows(tmp_path, [Row(*NUMBER, T0 + seq, float(seq), 0, seq, 0) for seq in range(1, 7)])
    series = DuckReader(tmp_path).series(*NUMBER, T0 + 3, T0 + DAY, before=True, limit=3)
    assert values(series) == [(T0 + 2, 2.0), (T0 + 3, 3.0), (T0 + 4, 4.0)]


def test_what_cannot_be_asked_is_refused_with_a_fault(tmp_path: Path) -> None:
    commit_rows(tmp_path, [Row(*NUMBER, T0, 1.0, 0, 1, 0)])
    reader = DuckReader(tmp_path, define=define)
    with pytest.raises(InvalidInputError, match="time:range-empty"):
        reader.series(*NUMBER, T0, T0)
    with pytest.raises(InvalidInputError, match="history:too-many-buckets"):
        reader.downsample([NUMBER], T0, T0 + DAY, 1, ["mean"])
    with pytest.raises(InvalidInputError, match="history:not-a-text"):
        reader.durations([TEXT, NUMBER], T0, T0 + DAY)
    with pytest.raises(InvalidInputError, match="quarantine:id-malformed"):
        reader.quarantined(after="1-2")


def test_quarantine_is_paged_newest_first_and_counted(tmp_path: Path) -> None:
    from servitwin.domain.observation import Quarantined

    entries = [
        Quarantined(
            0, seq, idx, T0 + seq * DAY // 4, "topic", f"m{seq % 2}", code, "wrong", "$.a", bytes([seq, 0, 255])
        )
        for seq in range(1, 7)
        for idx, code in enumerate(["value:wrong-type", "signal:unknown"][: 1 + seq % 2])
    ]
    DeltaWriter(tmp_path, shard=0, now=lambda: T0).commit([], entries, {apps(0): 6}, {})
    reader = DuckReader(tmp_path)
    newest_first = sorted(entries, key=lambda q: (q.received, q.shard, q.seq, q.idx), reverse=True)
    paged: list[Quarantined] = []
    while page := reader.quarantined(after=f"0-{paged[-1].seq}-{paged[-1].idx}" if paged else "", limit=4):
        paged += page
    assert paged == newest_first
    assert reader.quarantined(code="signal:unknown", twin="m1") == [q for q in newest_first if q.idx == 1]
    assert reader.quarantine_counts() == {"value:wrong-type": 6, "signal:unknown": 3}


@pytest.mark.parametrize("pair", [NUMBER, SPARSE])
def test_time_weighted_mean_over_the_edge_of_a_bucket(tmp_path: Path, pair: tuple[str, str]) -> None:
    """10 from 00:30, 20 from 01:30: by hand 10 in the first hour and 15 in the second, unless the gap ends it."""
    half = HOUR // 2
    commit_rows(tmp_path, [Row(*pair, T0 + half, 10.0, 0, 1, 0), Row(*pair, T0 + 3 * half, 20.0, 0, 1, 1)])
    buckets = DuckReader(tmp_path, define=define).downsample([pair], T0, T0 + 3 * HOUR, HOUR, ["tw_mean"])[pair][
        "tw_mean"
    ]
    gap = pair == SPARSE  # 40 minutes: 10 until 01:10, 20 until 02:10
    assert [b.value for b in buckets] == pytest.approx([10.0, 17.5 if gap else 15.0, 20.0])


def test_the_first_observations_of_a_long_past_are_read_without_the_rest(tmp_path: Path) -> None:
    """One row a day over years: what is read grows with what is asked for, and every limit gives the same head."""
    days = 400
    commit_rows(tmp_path, [Row("t1", "power", T0 + d * DAY, float(d), 0, d + 1, 0) for d in range(days)])
    reader = DuckReader(tmp_path)
    whole = reader.series("t1", "power", T0, T0 + days * DAY)
    for limit in (1, 2, 3, 50, 399, 400, 1000):
        head = reader.series("t1", "power", T0, T0 + days * DAY, limit=limit)
        assert head.time.tolist() == whole.time[:limit].tolist()
        assert head.number.tolist() == whole.number[:limit].tolist()  # type: ignore[union-attr]
    read = 0
    rows = View.rows

    def counted(view: View, *arguments: Any) -> Found:
        nonlocal read
        found = rows(view, *arguments)
        read += len(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(View, "rows", counted)
        reader.series("t1", "power", T0, T0 + days * DAY, limit=20)
        assert 20 <= read <= 2 * 20 + 1
        read = 0
        with pytest.raises(InvalidInputError) as refused:
            reader.many_series([("t1", "power")], T0, T0 + days * DAY, most=20)
        assert refused.value.fault.code == "history:too-many-rows"
        assert read <= 2 * 20 + 1
