from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.observation import PackedRows, Rows
from servitwin.engines.history.columns import table_of
from servitwin.usecases.ingest.tail import beyond

TWINS, SIGNALS = ["b", "a", "c"], ["y", "z", "x", "w"]


@st.composite
def packs(draw: st.DrawFn) -> PackedRows:
    m, w, n = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    text = ["on", "off", "", "on"][:m] if w == n == 1 and draw(st.booleans()) else None
    number = rng.normal(size=(m, w, n)) if text is None else np.full((m, 1, 1), np.nan)
    return PackedRows(
        TWINS,
        SIGNALS,
        rng.integers(0, 3, m).astype(np.int32),
        rng.permutation(4)[:w].astype(np.int32),
        np.arange(w, dtype=np.int32),
        rng.integers(0, 10**18, (m, n)),
        rng.integers(0, 10**18, m),
        number,
        draw(st.integers(0, 1)),
        np.sort(rng.integers(0, 50, m)),
        text,  # type: ignore[arg-type]
    )


@given(st.lists(st.tuples(packs(), st.booleans()), min_size=1, max_size=4))
def test_packed_rows_are_the_same_table_as_the_rows_one_by_one(chosen: Sequence[tuple[PackedRows, bool]]) -> None:
    spread: list[Rows | PackedRows] = [p.unpack() for p, _ in chosen]
    mixed = [p.unpack() if alone else p for p, alone in chosen]
    assert table_of(mixed).equals(table_of(spread))


@given(packs(), st.integers(-1, 51))
def test_the_rows_after_a_sequence_are_the_same_packed_or_not(pack: PackedRows, seq: int) -> None:
    assert table_of([beyond(pack, seq)]).equals(table_of([beyond(pack.unpack(), seq)]))


def test_rows_are_in_order_of_message_signal_and_sample() -> None:
    number = np.arange(8.0).reshape(2, 2, 2)
    time = np.array([[10, 11], [20, 21]])
    ones = np.array([0, 1], np.int32)
    rows = PackedRows(TWINS, SIGNALS, ones, ones, ones, time, np.array([5, 6]), number, 1, np.array([7, 8])).unpack()
    assert rows.number.tolist() == list(range(8))
    assert rows.idx.tolist() == [0, 1, 2, 3] * 2
    assert rows.time.tolist() == [10, 11, 10, 11, 20, 21, 20, 21]
    assert rows.seq.tolist() == [7] * 4 + [8] * 4
    assert rows.signal.tolist() == [0, 0, 1, 1] * 2
