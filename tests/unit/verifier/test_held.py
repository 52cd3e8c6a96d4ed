"""From rows to what was known at each instant, by the sentences of docs/concepts/requirement.md."""

from __future__ import annotations

from typing import Any

import pytest

from servitwin.proof.verifier.excerpt import Excerpt, Signal
from servitwin.proof.verifier.held import held_values

END = 100


def signal(
    kind: str, rows: list[tuple[Any, ...]], max_gap: int | None = None, shards: list[int] | None = None
) -> Signal:
    """Rows are (time, value), (time, value, quality) or (time, value, quality, sequence)."""
    n = len(rows)
    return Signal(
        kind, "", 0.5, max_gap, [r[0] for r in rows], [r[3] if len(r) > 3 else i for i, r in enumerate(rows)], [0] * n,
        bytes(r[2] if len(r) > 2 else 0 for r in rows), [r[1] for r in rows], shards or [0] * n,
    )  # fmt: skip


def known(s: Signal, **more: Any) -> list[tuple[Any, Any]]:
    """(from, reading) of each step."""
    connection = more.pop("connection", [])
    signals = {"s": s, "_connection": signal("text", connection)}
    excerpt = Excerpt(0, END, {0: 1000, 1: 1000}, signals, more.get("gaps", []), more.get("states"))
    held = held_values(excerpt, {"s", "state"} if "states" in more else {"s"})
    step = held["state"] if "states" in more else held["s"]
    return [(t, v[0] if isinstance(v, tuple) else v) for t, v in zip(step.starts, step.values, strict=True)][1:]


def test_a_value_holds_until_the_next_one_and_not_beyond_the_end() -> None:
    assert known(signal("number", [(10, 1.0), (20, 2.0)])) == [(10, 1.0), (20, 2.0), (END, None)]


def test_accuracy_is_around_the_reading() -> None:
    excerpt = Excerpt(0, END, {0: 9}, {"s": signal("number", [(10, 1.0)])}, [], None)
    assert held_values(excerpt, {"s"})["s"].at(10) == (1.0, 0.5, 1.5)


@pytest.mark.parametrize("row", [(20, None), (20, None, 2), (20, 9.0, 1), (20, 9.0, 2)])
def test_unavailable_bad_and_uncertain_are_not_known_until_the_next_good_one(row: tuple[Any, ...]) -> None:
    assert known(signal("number", [(10, 1.0), row, (30, 3.0)])) == [(10, 1.0), (20, None), (30, 3.0), (END, None)]


def test_a_gap_begins_max_gap_after_the_last_observation() -> None:
    rows = [(10, 1.0), (15, 1.0), (40, 2.0)]
    assert known(signal("number", rows, max_gap=10)) == [(10, 1.0), (25, None), (40, 2.0), (50, None)]


def test_of_one_instant_the_last_by_shard_sequence_and_index_holds() -> None:
    tied = signal("number", [(10, 1.0, 0, 7), (10, 2.0, 0, 5), (10, 3.0, 0, 6)])
    assert known(tied)[0] == (10, 1.0)
    tied.shards = [0, 0, 1]
    assert known(tied)[0] == (10, 3.0)


def test_rows_outside_of_the_excerpt_and_after_the_cut_do_not_count() -> None:
    rows = [(-5, 9.0), (10, 1.0), (20, 2.0, 0, 5000), (END, 7.0)]
    assert known(signal("number", rows)) == [(10, 1.0), (END, None)]


def test_offline_until_heard_again_or_back() -> None:
    steady = signal("number", [(10, 1.0)])
    assert known(steady, connection=[(20, "offline"), (30, "online")]) == [
        (10, 1.0), (20, None), (30, 1.0), (END, None),
    ]  # fmt: skip
    heard = signal("number", [(10, 1.0), (25, 2.0)])
    assert known(heard, connection=[(20, "offline"), (30, "online")]) == [
        (10, 1.0), (20, None), (25, 2.0), (END, None),
    ]  # fmt: skip
    assert known(steady, connection=[(20, "offline")]) == [(10, 1.0), (20, None)]


def test_nothing_is_known_in_a_declared_gap() -> None:
    rows = signal("number", [(10, 1.0), (25, 2.0)])
    assert known(rows, gaps=[(20, 30)]) == [(10, 1.0), (20, None), (30, 2.0), (END, None)]


def test_a_condition_is_a_set_and_what_it_held_before_is_not_known() -> None:
    rows = [(10, "Fault|1"), (10, "warning|2"), (20, "normal|1"), (30, "normal"), (40, "fault|3"), (50, None)]
    found = dict(known(signal("condition", rows)))
    earlier = ("?", "")
    assert found[10] == {earlier, ("fault", "1"), ("warning", "2")}
    assert found[20] == {earlier, ("warning", "2")}
    assert found[30] == frozenset()
    assert found[40] == {("fault", "3")}
    assert found[50] is None


def test_the_state_is_not_known_where_it_is_unknown_or_not_said() -> None:
    states = [(0, 10, "producing"), (10, 20, "unknown"), (30, 200, "failed")]
    s = signal("number", [])
    assert known(s, states=states) == [(0, "producing"), (10, None), (30, "failed"), (END, None)]


def test_flags_and_texts() -> None:
    assert known(signal("flag", [(10, 1), (20, 0)])) == [(10, True), (20, False), (END, None)]
    assert known(signal("text", [(10, "a"), (20, "")])) == [(10, "a"), (20, ""), (END, None)]
