"""Both ways into history are one: whole columns and value by value give the same rows, faults, live values, counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.usecases.ingest import core
from servitwin.usecases.ingest.shapes import parse_instants
from tests.unit.ingest.given import NOW, Feed, S, rows_of

numbers = st.one_of(
    st.integers(-300, 300), st.floats(-250, 250), st.sampled_from([float("nan"), None, "UNAVAILABLE", "7", 1e300])
)
texts = st.sampled_from(["auto", "manual", "turbo", "UNAVAILABLE", "", "ü", None])
values = st.fixed_dictionaries(
    {"load": numbers},
    optional={
        "temperature": numbers,
        "mode": texts,
        "program": texts,
        "door": st.sampled_from([True, False, None, 0]),
        "speed": numbers,
        "axis": st.sampled_from(["Normal|||", "Fault|7|||hot", "x"]),
    },
)
times = st.one_of(
    st.integers(NOW - 5 * S, NOW + 5 * S),
    st.sampled_from([NOW - 2000 * S, NOW + 400 * S, 0, -5, 10**20, "noon"]),
    st.sampled_from(
        ["2026-09-21T14:13:20Z", "2026-09-21T14:13:20.5Z", "2026-02-30T00:00:00Z", "2026-09-21T16:13:20+02:00"]
    ),
)
extras = st.fixed_dictionaries(
    {},
    optional={
        "session": st.sampled_from(["a", "b", ""]),
        "seq": st.integers(0, 6),
        "source": st.just({"file": "x", "line": 3}),
        "quality": st.sampled_from(["good", "uncertain"]),
        "replayed": st.booleans(),
        "units": st.just({"load": "N"}),
    },
)


@st.composite
def single(draw: st.DrawFn) -> dict[str, Any]:
    return {"time": draw(times), "values": draw(values), **draw(extras)}


@st.composite
def batch(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(0, 3))
    columns = {
        name: [draw(numbers) for _ in range(n + draw(st.sampled_from([0] * 9 + [1])))]
        for name in draw(st.sampled_from([("load",), ("load", "temperature")]))
    }
    return {"times": [draw(times) for _ in range(n)], "values": columns, **draw(extras)}


def plain(n: int) -> dict[str, Any]:
    return {"time": NOW + n, "values": {"load": n, "temperature": n / 2}, "session": "a", "seq": n}


messages = st.lists(
    st.tuples(
        st.sampled_from(["mill-1", "mill-2", "free-1"]), st.one_of(single(), batch(), st.integers(0, 30).map(plain))
    ),
    max_size=25,
)


def outcome(sent: list[tuple[str, dict[str, Any]]], tries: int, step: int, monkey: pytest.MonkeyPatch) -> Any:
    monkey.setattr(core, "_SHAPE_TRIES", tries)
    feed = Feed()
    raw = [feed.raw(p, twin) for twin, p in sent]
    blocks = []
    for at in range(0, len(raw), step):
        feed.ingest.feed(raw[at : at + step])
        blocks.append(feed.ingest.take())
    shared = feed.shared
    live = {m["uid"]: m["values"] for m in shared.live({}) if m["values"]}
    sessions = [shared.session(u, s) for u in ("uid-1", "uid-2", "uid-3") for s in ("a", "b", "")]
    counters = (shared.counters.messages, shared.counters.values, shared.counters.quarantined, shared.counters.repeated)
    marks = shared.ledger.snapshot()
    rows = rows_of([r for b in blocks for r in b.rows])
    faults = [q for b in blocks for q in b.quarantined]
    return rows, sorted(map(repr, faults)), live, sessions, counters, sorted(map(repr, core_marks(marks)))


def core_marks(packed: bytes) -> list[Any]:
    from servitwin.usecases.ingest.sessions import unpack

    return [(u, n, p) for u, s in unpack(packed).items() for n, p in s.items()]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages, st.integers(1, 9))
def test_whole_columns_and_single_values_give_the_same(sent: list[tuple[str, dict[str, Any]]], step: int) -> None:
    with pytest.MonkeyPatch.context() as monkey:
        by_column, by_value = outcome(sent, 32, step, monkey), outcome(sent, 0, 1000, monkey)
    names = ("rows", "faults", "live", "sessions", "counters", "marks")
    for name, one, other in zip(names, by_column, by_value, strict=True):
        assert one == other, f"{name} differ for {sent}"


def test_the_usual_message_goes_by_a_shape() -> None:
    feed = Feed()
    feed.send(*(plain(n) for n in range(100)))
    assert feed.shared.counters.fast == 99
    feed.send(*({"times": [NOW + n, NOW + n + 1], "values": {"load": [1, n]}} for n in range(100)))
    assert feed.shared.counters.fast == 198


def test_an_injected_second_object_cannot_speak_for_the_next_message() -> None:
    feed = Feed()
    feed.send(plain(0), plain(1))
    block = feed.send(json.dumps(plain(2)).encode() + b"," + json.dumps(plain(9)).encode(), plain(3))
    assert {r[1] for r in rows_of(block.rows)} == {4}
    assert [q.seq for q in block.quarantined] == [3]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.from_regex(
            r"(19[89]\d|20\d\d)-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,9})?Z",
            fullmatch=True,
            alphabet=st.characters(codec="ascii"),
        )
    )
)
def test_times_in_columns_are_the_times_one_by_one(texts: list[str]) -> None:
    for text, ns in zip(texts, parse_instants(texts).tolist(), strict=True):
        try:
            one = parse_instant(text)
        except InvalidInputError:
            one = -1
        assert ns in (one, -1), text
        if ":60" not in text and one >= 0:
            assert ns == one, text
