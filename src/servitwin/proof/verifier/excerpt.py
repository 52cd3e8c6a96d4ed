"""The excerpt of observations: rows of some signals, and the proof that they are all that the log bound.

A ``segment`` statement of the log binds every row of one stream (shard) from one sequence to another. Here its tree is
built again from the rows that are shown and from the hashes of what is not.
"""

from __future__ import annotations

import hashlib
import math
import operator
import struct
from array import array
from dataclasses import dataclass, field
from typing import Any

from . import merkle, shape
from .columns import read_columns
from .refusal import RefusedError
from .statements import Statement

# A row further ahead of its receipt is not taken in: a segment made this long before the excerpt begins, and all before
# it, hold no row of the excerpt.
AHEAD = 300 * shape.NS
CONNECTION = "_connection"  # a text signal: ``offline`` from the loss of the connection on
_KINDS = bytes(b >> 4 & 3 for b in range(256))
_MARKS = frozenset(q | r | k for q in (0, 1, 2) for r in (0, 4) for k in (0, 16, 32, 48))
_NUMBER, _TEXT, _FLAG = 1, 2, 3


@dataclass
class Signal:
    """What a signal is, and its rows in the order of the segments: time (ns), sequence, index, mark, value, shard."""

    type: str
    unit: str
    accuracy: float
    max_gap: int | None
    times: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    marks: bytes = b""
    values: list[Any] = field(default_factory=list)
    shards: list[int] = field(default_factory=list)


@dataclass
class Excerpt:
    """Rows of signals with begin <= time < end, of sequences up to ``cut``, and what was declared beside them."""

    begin: int
    end: int
    cut: dict[int, int]
    signals: dict[str, Signal]
    gaps: list[tuple[int, int]]
    states: list[tuple[int, int, str]] | None
    segments: int = 0
    own: int = 0  # of the segments, those with rows of the machine
    signed: int = 0  # of those, the ones that say that the machine's key had signed every message
    bound_until: int = 0  # when the last segment was made of the streams that hold rows of the machine (ns)


def read_excerpt(value: Any, twin: str, statements: dict[int, Statement]) -> Excerpt:
    """The excerpt, every row proven to be what the log bound.

    Raises:
        RefusedError: ``proof:segment-missing``, ``proof:block-differs`` (naming segment, sequences and times),
            ``proof:excerpt-short``, ``proof:wrong-shape``.
    """
    shape.table(value, "excerpt", "from", "to", "signals", "gaps", "cut", "columns", "rows", "segments")
    begin, end = shape.instant(value["from"], "excerpt.from"), shape.instant(value["to"], "excerpt.to")
    cut = {
        shape.whole(shard, "excerpt.cut"): shape.whole(last, "excerpt.cut")
        for shard, last in shape.table(value["cut"], "excerpt.cut").items()
    }
    excerpt = Excerpt(begin, end, cut, {}, read_spans(value["gaps"]), read_states(value.get("states")))
    for name, given in shape.table(value["signals"], "excerpt.signals").items():
        excerpt.signals[name] = _signal(given, f"excerpt.signals.{name}")
    columns = read_columns(value["columns"])
    rows = {name: _Rows(given, columns, name) for name, given in shape.table(value["rows"], "excerpt.rows").items()}
    if rows.keys() != excerpt.signals.keys():
        raise RefusedError("proof:excerpt-short", "rows are given for other signals than are named", "excerpt.rows")
    _check_segments(value["segments"], excerpt, twin, rows, statements)
    for name, signal in excerpt.signals.items():
        rows[name].fill(signal, name)
    return excerpt


def _signal(given: Any, where: str) -> Signal:
    row = shape.table(given, where, "type", "unit", "accuracy", "max_gap")
    if row["type"] not in ("number", "text", "flag", "condition"):
        shape.wrong(where, "a type of signal")
    accuracy = 0.0 if row["accuracy"] is None else shape.real(row["accuracy"], where)
    max_gap = None if row["max_gap"] is None else shape.whole(row["max_gap"], where, 1)
    if accuracy < 0:
        shape.wrong(where, "an accuracy")
    return Signal(row["type"], shape.text(row["unit"], where), accuracy, max_gap)


def read_spans(value: Any) -> list[tuple[int, int]]:
    """Declared gaps: [from, to) in ns."""
    found = []
    for i, given in enumerate(shape.items(value, "excerpt.gaps")):
        where = f"excerpt.gaps[{i}]"
        if len(shape.items(given, where)) != 2:
            shape.wrong(where, "a gap")
        found.append((shape.instant(given[0], where), shape.instant(given[1], where)))
    return found


def read_states(value: Any) -> list[tuple[int, int, str]] | None:
    """Intervals of the machine's canonical state, as the party derived them: [from, to) in ns and the state."""
    if value is None:
        return None
    found: list[tuple[int, int, str]] = []
    for i, given in enumerate(shape.items(value, "excerpt.states")):
        where = f"excerpt.states[{i}]"
        if len(shape.items(given, where)) != 3:
            shape.wrong(where, "an interval of a state")
        begin, end = shape.instant(given[0], where), shape.instant(given[1], where)
        if begin >= end or (found and begin < found[-1][1]):
            shape.wrong(where, "an interval after the one before")
        found.append((begin, end, shape.text(given[2], where)))
    return found


class _Rows:
    """Rows of one signal as columns, cut into the blocks of one segment after the other."""

    def __init__(self, given: Any, columns: list[list[Any]], name: str) -> None:
        where = f"excerpt.rows.{name}"
        shape.table(given, where, "time", "sequence", "index", "mark")

        def column(part: str) -> list[Any]:
            return columns[shape.whole(given[part], where, 0, len(columns) - 1)] if part in given else []

        self.where, self.at, self.shards = where, 0, []  # type: str, int, list[int]
        self.times, self.sequences, self.indexes = column("time"), column("sequence"), column("index")
        self.numbers, flags, codes = column("number"), column("flag"), column("text")
        words = [shape.text(w, where) for w in shape.items(given.get("words", []), where)]
        try:
            self.time_bytes = array("q", self.times).tobytes()
            self.sequence_bytes = array("q", self.sequences).tobytes()
            self.index_bytes = array("i", self.indexes).tobytes()
            doubles = array("d", self.numbers)
            self.numbers, self.number_bytes = doubles.tolist(), doubles.tobytes()
            self.marks, self.flags = bytes(column("mark")), bytes(flags)
            self.texts = [words[c] for c in codes]
            encoded = [len(w).to_bytes(4, "little") + w for w in (w.encode() for w in words)]
        except (TypeError, OverflowError, ValueError, IndexError) as e:
            raise RefusedError("proof:wrong-shape", f"the columns are no rows: {e}", where) from None
        self.text_bytes = [encoded[c] for c in codes]
        self.kinds = self.marks.translate(_KINDS)
        counts = (self.kinds.count(_NUMBER), self.kinds.count(_TEXT), self.kinds.count(_FLAG))
        if counts != (len(self.numbers), len(codes), len(flags)) or not set(self.marks) <= _MARKS:
            shape.wrong(where, "whole: marks and values do not fit")
        if not len(self.times) == len(self.sequences) == len(self.indexes) == len(self.marks):
            shape.wrong(where, "whole: its columns differ in length")
        if not all(map(math.isfinite, self.numbers)) or not set(flags) <= {0, 1}:
            shape.wrong(where, "rows of finite numbers and flags")
        self.taken = [0, 0, 0, 0]  # values used so far, by kind

    def block(self, count: int, segment: Statement) -> bytes:
        """SHA-256 of the block of the next ``count`` rows, which belong to that segment."""
        lo, hi = self.at, self.at + count
        if count == 0 or hi > len(self.times):
            raise RefusedError("proof:excerpt-short", "rows are missing", f"{segment.where}, {self.where}")
        self.at = hi
        self.shards += [segment.body["shard"]] * count
        self._check_order(lo, hi, segment)
        before, now = self.taken, [t + self.kinds.count(k, lo, hi) for k, t in enumerate(self.taken)]
        self.taken = now
        parts = (
            struct.pack("<I", count),
            self.time_bytes[8 * lo : 8 * hi],
            self.sequence_bytes[8 * lo : 8 * hi],
            self.index_bytes[4 * lo : 4 * hi],
            self.marks[lo:hi],
            self.number_bytes[8 * before[_NUMBER] : 8 * now[_NUMBER]],
            self.flags[before[_FLAG] : now[_FLAG]],
            *self.text_bytes[before[_TEXT] : now[_TEXT]],
        )
        return hashlib.sha256(b"".join(parts)).digest()

    def _check_order(self, lo: int, hi: int, segment: Statement) -> None:
        times, sequences = self.times[lo:hi], self.sequences[lo:hi]
        if not all(map(operator.lt, times, times[1:])):
            keys = list(zip(times, sequences, self.indexes[lo:hi], strict=True))
            if not all(map(operator.lt, keys, keys[1:])):
                raise RefusedError("proof:block-differs", "rows are not in order", f"{segment.where}, {self.where}")
        body = segment.body
        inside = body["first"] <= min(sequences) and max(sequences) <= body["last"]
        if not inside or times[0] < body["from_ns"] or times[-1] >= body["to_ns"]:
            message = "rows lie outside of the sequences and times that the segment states"
            raise RefusedError("proof:block-differs", message, f"{segment.where}, {self.where}")

    def fill(self, signal: Signal, name: str) -> None:
        """Hand the rows over; all of them must have been claimed by a segment and have the type of the signal."""
        if self.at != len(self.times):
            raise RefusedError("proof:block-differs", "there are rows that belong to no segment", self.where)
        wanted = {"number": _NUMBER, "flag": _FLAG}.get(signal.type, _TEXT)
        if not set(self.kinds) <= {0, wanted}:
            raise RefusedError("proof:block-differs", f"{name} has values that are no {signal.type}", self.where)
        values = iter(self.numbers if wanted == _NUMBER else self.flags if wanted == _FLAG else self.texts)
        signal.values = [next(values) if kind else None for kind in self.kinds]
        signal.times, signal.sequences, signal.indexes = self.times, self.sequences, self.indexes
        signal.marks, signal.shards = self.marks, self.shards


def _check_segments(
    value: Any, excerpt: Excerpt, twin: str, rows: dict[str, _Rows], statements: dict[int, Statement]
) -> None:
    """Every segment of each shard up to the cut is stated without a hole, and its rows are those that are shown."""
    disclosed: dict[int, tuple[int, Any]] = {}
    for i, given in enumerate(shape.items(value, "excerpt.segments")):
        where = f"excerpt.segments[{i}]"
        index = shape.whole(shape.table(given, where, "entry", "twins")["entry"], where)
        if index in disclosed or (index not in statements or statements[index].kind != "segment"):
            raise RefusedError("proof:segment-missing", f"entry {index} is no segment, or shown twice", where)
        disclosed[index] = (i, given)
    last: dict[int, Statement] = {}
    streams: set[int] = set()
    for index, segment in statements.items():
        if segment.kind != "segment":
            continue
        read_segment(segment)
        _check_follows(last.get(segment.body["shard"]), segment, excerpt)
        last[segment.body["shard"]] = segment
        if index in disclosed:
            i, given = disclosed[index]
            leaf = _check_rows(given, segment, twin, rows, f"excerpt.segments[{i}]")
            excerpt.segments += 1
            excerpt.own += leaf is not None
            streams |= {segment.body["shard"]} if leaf is not None else set()
            excerpt.signed += leaf is not None and leaf in segment.body["signed"]
        elif touches(segment, excerpt) and segment.body["first"] <= excerpt.cut.get(segment.body["shard"], -1):
            message = "the segment has rows of the time of the excerpt, but none of it is shown"
            raise RefusedError("proof:excerpt-short", message, segment.where)
    excerpt.bound_until = min((last[shard].made for shard in streams), default=excerpt.end)
    for shard, up_to in excerpt.cut.items():
        if up_to and (shard not in last or last[shard].body["last"] < up_to):
            message = f"sequences of shard {shard} up to {up_to} were known, but the segments shown end before"
            raise RefusedError("proof:segment-missing", message, "excerpt.cut")


def read_segment(segment: Statement) -> None:
    """Check the body of a ``segment`` statement; its times are added in ns."""
    where = segment.where
    body = dict(shape.table(segment.body, where, "shard", "first", "last", "count", "root", "twins", "from", "to"))
    for name in ("shard", "first", "last", "count", "twins"):
        body[name] = shape.whole(body[name], f"{where}.{name}")
    body["signed"] = shape.hashes(body.get("signed", []), where)
    body["from_ns"], body["to_ns"] = shape.instant(body["from"], where), shape.instant(body["to"], where)
    if body["last"] < body["first"] or (body["count"] == 0) != (body["twins"] == 0):
        shape.wrong(where, "a segment: its sequences, rows and twins do not fit")
    segment.body = body


def touches(segment: Statement, excerpt: Excerpt) -> bool:
    """Whether rows of the segment can lie in the time of the excerpt."""
    body = segment.body
    return bool(body["count"] and body["from_ns"] < excerpt.end and body["to_ns"] > excerpt.begin)


def _check_follows(before: Statement | None, segment: Statement, excerpt: Excerpt) -> None:
    body, shard = segment.body, segment.body["shard"]
    if before is None:
        if body["first"] > 1 and segment.made > excerpt.begin - AHEAD and shard in excerpt.cut:
            message = (
                "segments before the first one shown may hold rows of the excerpt: begin with one that was made "
                "five minutes before it"
            )
            raise RefusedError("proof:segment-missing", message, segment.where)
    elif body["first"] != before.body["last"] + 1:
        message = f"sequences {before.body['last'] + 1} to {body['first'] - 1} of shard {shard} are in no segment shown"
        if body["first"] <= before.body["last"]:
            message = f"the segment overlaps the one before, which ends at sequence {before.body['last']}"
        raise RefusedError("proof:segment-missing", message, segment.where)
    elif segment.made < before.made:
        raise RefusedError("proof:segment-missing", "it was made before the segment that it follows", segment.where)


def _check_rows(
    given: Any, segment: Statement, twin: str, rows: dict[str, _Rows], where: str
) -> bytes | None:  # fmt: skip
    """Build the tree of the segment again; the machine's leaf in it, None where nothing of the machine came."""
    leaf = None
    twins = shape.table(given["twins"], f"{where}.twins", "hashes")
    root = shape.one_hash(segment.body["root"], segment.where)
    count = segment.body["twins"]
    if "signals" not in given:  # nothing of this twin came in the segment
        shape.table(twins, f"{where}.twins", "beside")
        shown = _beside(twins["beside"], twin, count, "uid", "root", f"{where}.twins")
    else:
        at = shape.whole(shape.table(twins, where, "at")["at"], f"{where}.twins.at")
        leaf = merkle.leaf(twin.encode() + b"\x00" + _signals_root(given["signals"], segment, rows, where))
        shown = {at: leaf}
    found = merkle.root_from(shown, count, shape.hashes(twins["hashes"], where), where) if shown else merkle.EMPTY
    if found != root:
        message = "the rows shown are not those that the log bound: rows were changed, left out or added"
        raise RefusedError("proof:block-differs", message, segment.where)
    return leaf


def _signals_root(given: Any, segment: Statement, rows: dict[str, _Rows], where: str) -> bytes:
    signals = shape.table(given, f"{where}.signals", "of", "rows", "beside", "hashes")
    size = shape.whole(signals["of"], f"{where}.signals.of", 1, 1_000_000)
    shown: dict[int, bytes] = {}
    names: dict[int, bytes] = {}
    present = shape.table(signals["rows"], f"{where}.signals.rows")
    for name, place in present.items():
        if len(shape.items(place, where)) != 2:
            shape.wrong(where, "place and number of rows")
        at, count = (shape.whole(v, where) for v in place)
        if name not in rows or at in shown:
            shape.wrong(f"{where}.signals.rows.{name}", "the place of a signal of the excerpt")
        shown[at] = merkle.leaf(name.encode() + b"\x00" + rows[name].block(count, segment))
        names[at] = name.encode()
    for row in shape.items(signals["beside"], where):
        leaf = shape.table(row, where, "at", "name", "digest")
        at, name = shape.whole(leaf["at"], where), shape.text(leaf["name"], where)
        if at in shown:
            shape.wrong(f"{where}.signals.beside", "a neighbour that is not shown already")
        shown[at] = merkle.leaf(name.encode() + b"\x00" + shape.one_hash(leaf["digest"], where))
        names[at] = name.encode()
    for name in rows:
        if name not in present:
            _check_absent(name.encode(), names, size, segment.where)
    return merkle.root_from(shown, size, shape.hashes(signals["hashes"], where), where)


def _beside(value: Any, wanted: str, size: int, name: str, content: str, where: str) -> dict[int, bytes]:
    """Leaves beside the place where ``wanted`` would be: neighbours in the order of the tree."""
    shown: dict[int, bytes] = {}
    names: dict[int, bytes] = {}
    for row in shape.items(value, where):
        leaf = shape.table(row, where, "at", name, content)
        at, one = shape.whole(leaf["at"], where), shape.text(leaf[name], where).encode()
        shown[at], names[at] = merkle.leaf(one + b"\x00" + shape.one_hash(leaf[content], where)), one
    _check_absent(wanted.encode(), names, size, where)
    return shown


def _check_absent(wanted: bytes, names: dict[int, bytes], size: int, where: str) -> None:
    """The leaves of a tree are in the order of their names: two neighbours show that nothing lies between them."""
    after = min((at for at, name in names.items() if name > wanted), default=size)
    before = names.get(after - 1)
    if wanted in names.values() or not (after == 0 or (before is not None and before < wanted)):
        message = f"{wanted.decode()} is left out: it is not shown, and not shown to be absent"
        raise RefusedError("proof:excerpt-short", message, where)
