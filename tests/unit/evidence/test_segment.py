"""Bound observations: the documented bytes, any order of rows, and nothing that can be changed or left out."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.proof.log.disclosure import Disclosure, disclose, disclosed
from servitwin.proof.log.merkle import EMPTY, leaf_hash, node_hash
from servitwin.proof.log.segment import Segment, SegmentRows

Row = tuple[str, str, int, int, int, int, bool, object]  # twin, signal, time, seq, idx, quality, replayed, value


def rows_of(rows: list[Row]) -> SegmentRows:
    def codes(words: list[str]) -> tuple[list[str], np.ndarray]:  # type: ignore[type-arg]
        known = list(dict.fromkeys(words))
        return known, np.array([known.index(w) for w in words], np.int32)

    twins, twin = codes([r[0] for r in rows])
    signals, signal = codes([r[1] for r in rows])
    texts = sorted({r[7] for r in rows if isinstance(r[7], str)})
    return SegmentRows(
        twins, signals, texts, twin, signal,
        np.array([r[2] for r in rows], np.int64),
        np.array([r[3] for r in rows], np.int64),
        np.array([r[4] for r in rows], np.int32),
        np.array([r[5] for r in rows], np.uint8),
        np.array([r[6] for r in rows], bool),
        np.array([r[7] if isinstance(r[7], float) else np.nan for r in rows], np.float64),
        np.array([texts.index(r[7]) if isinstance(r[7], str) else -1 for r in rows], np.int32),
        np.array([int(r[7]) if isinstance(r[7], bool) else -1 for r in rows], np.int8),
        np.zeros(len(rows), np.int64),
    )  # fmt: skip


def expected(rows: list[Row]) -> bytes:
    """The root by the letter of docs/concepts/evidence.md, slowly."""

    def tree(leaves: list[bytes]) -> bytes:
        if not leaves:
            return EMPTY
        if len(leaves) == 1:
            return leaf_hash(leaves[0])
        k = 1 << ((len(leaves) - 1).bit_length() - 1)
        return node_hash(tree(leaves[:k]), tree(leaves[k:]))

    def block(own: list[Row]) -> bytes:
        own = sorted(own, key=lambda r: (r[2], r[3], r[4]))
        kinds = {float: 1, str: 2, bool: 3, type(None): 0}
        out = struct.pack("<I", len(own))
        out += b"".join(struct.pack("<q", r[2]) for r in own) + b"".join(struct.pack("<q", r[3]) for r in own)
        out += b"".join(struct.pack("<i", r[4]) for r in own)
        out += bytes(r[5] | (4 if r[6] else 0) | kinds[type(r[7])] << 4 for r in own)
        out += b"".join(struct.pack("<d", r[7]) for r in own if isinstance(r[7], float))
        out += bytes(r[7] for r in own if isinstance(r[7], bool))
        for r in own:
            if isinstance(r[7], str):
                out += struct.pack("<I", len(r[7].encode())) + r[7].encode()
        return out

    twins = []
    for uid in sorted({r[0] for r in rows}, key=str.encode):
        leaves = []
        for name in sorted({r[1] for r in rows if r[0] == uid}, key=str.encode):
            own = [r for r in rows if r[:2] == (uid, name)]
            leaves.append(name.encode() + b"\0" + hashlib.sha256(block(own)).digest())
        twins.append(uid.encode() + b"\0" + tree(leaves))
    return tree(twins)


VALUES = st.none() | st.floats(allow_nan=False) | st.text(max_size=5) | st.booleans()
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["b", "a", "c", "ä"]), st.sampled_from(["x", "y", "z.1"]), st.integers(-5, 5),
        st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.booleans(), VALUES,
    ),
    max_size=40,
    unique_by=lambda r: r[:5],
)  # fmt: skip


@given(ROWS, st.randoms(use_true_random=False))
def test_the_root_is_the_documented_one_in_any_order(rows: list[Row], random: object) -> None:
    root = Segment(rows_of(rows)).root
    assert root == expected(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Segment(rows_of(shuffled)).root == root


@given(ROWS.filter(bool), st.data())
def test_a_changed_or_missing_row_changes_the_root(rows: list[Row], data: st.DataObject) -> None:
    root = Segment(rows_of(rows)).root
    place = data.draw(st.integers(0, len(rows) - 1))
    assert Segment(rows_of([*rows[:place], *rows[place + 1 :]])).root != root
    row = rows[place]
    for field, value in (
        (2, row[2] + 100),
        (3, row[3] + 10),
        (4, row[4] + 10),
        (5, 3),
        (6, not row[6]),
        (7, "changed"),
    ):
        changed = list(row)
        changed[field] = value
        assert Segment(rows_of([*rows[:place], tuple(changed), *rows[place + 1 :]])).root != root  # type: ignore[list-item]


@given(ROWS, st.lists(st.sampled_from(["a", "b", "c", "d", "ä", ""]), unique=True), st.booleans())
def test_what_is_shown_fits_and_nothing_is_left_out(rows: list[Row], twins: list[str], whole: bool) -> None:
    segment = Segment(rows_of(rows))
    count = len({r[0] for r in rows})
    shown = disclose(segment, {t: None if whole else ["x"] for t in twins})
    shown = msgspec.json.decode(msgspec.json.encode(shown), type=Disclosure)
    found = disclosed(shown, segment.root, count, twins)
    for uid in twins:
        names = {r[1] for r in rows if r[0] == uid and (whole or r[1] == "x")}
        assert set(found.get(uid, {})) == names
    others = [t for t in ("a", "b", "c", "ä") if t not in twins and any(r[0] == t for r in rows)]
    for uid in others:
        with pytest.raises(InvalidInputError, match="left out"):
            disclosed(shown, segment.root, count, [uid])
    for n, twin in enumerate(shown.shown):
        cut = msgspec.structs.replace(twin, signals=twin.signals[:-1], root="" if twin.signals else "0" * 64)
        if len(twin.signals) == 1:
            cut = msgspec.structs.replace(twin, place=twin.place + 1)
        forged = msgspec.structs.replace(shown, shown=(*shown.shown[:n], cut, *shown.shown[n + 1 :]))
        with pytest.raises(InvalidInputError):
            disclosed(forged, segment.root, count, [])


def test_two_values_in_a_row_are_refused() -> None:
    rows = rows_of([("a", "x", 0, 0, 0, 0, False, 1.0)])
    with pytest.raises(ValueError, match="two types"):
        Segment(replace(rows, flag=np.array([1], np.int8)))
