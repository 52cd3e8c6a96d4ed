"""History's reader: one answer at a cut, from files that count and the tail that is not committed yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.observation import (
    Aggregation,
    Backlog,
    Bools,
    Bucket,
    Cut,
    Floats,
    Int64s,
    LastValue,
    Quarantined,
    Series,
)
from servitwin.engines.history.backlog import backlog_of, groups_to_compact
from servitwin.engines.history.carry import before as before_start
from servitwin.engines.history.export import Define, Form, export
from servitwin.engines.history.fold import FOREVER, Buckets, fold, spread
from servitwin.engines.history.log import TableLog
from servitwin.engines.history.quarantine import QuarantineLog
from servitwin.engines.history.rolled import Rolled, RollupTable, Words, samples_of
from servitwin.engines.history.scan import Engine, Found, Pair, Scan, Tail, View, is_beyond
from servitwin.engines.history.schema import OBSERVATIONS
from servitwin.engines.history.strides import strides
from servitwin.engines.history.survey import LatestFile, changed_since, last_values

MOST_BUCKETS = 1_000_000


class DuckReader:
    """Answers from history (``usecases.ports.HistoryReader``), tail included; may be used from several threads.

    Args:
        folder: the ``history`` folder.
        tail: asks the owner of a shard for its rows after a sequence (subject ``ask.tail.<shard>``); returns the
            bytes that :func:`columns.ipc_of` made, a table of the same columns, or None if nobody answers: then the
            answer ends at what is committed.
        shards: shards whose owners are asked although nothing of them is committed yet.
        define: the definition of a signal of a twin (uid, name), for its type, unit and ``max_gap``. Without it the
            type is told by the values and a value holds until the next one.
        memory: limit of the query engine, in DuckDB's notation.
        threads: threads of one query.
    """

    def __init__(
        self,
        folder: Path | str,
        tail: Tail | None = None,
        *,
        shards: Iterable[int] = (0, 1),
        define: Define | None = None,
        memory: str = "512MB",
        threads: int = 2,
    ) -> None:
        self._folder = Path(folder)
        self._engine = Engine(memory, threads)
        self._scan = Scan(self._folder, self._engine, tail, shards)
        self._latest = LatestFile(self._folder)
        self._rollups = RollupTable(self._folder, self._engine)
        self._observations = TableLog(self._folder / OBSERVATIONS)
        self._quarantine = QuarantineLog(self._folder, self._engine)
        self._define = define

    def cut(self) -> Cut:
        """The newest cut that can be answered now, tail included."""
        return self._scan.view().cut

    def series(
        self,
        twin: str,
        signal: str,
        start: int,
        end: int,
        *,
        before: bool = False,
        limit: int | None = None,
        cut: Cut | None = None,
    ) -> Series:
        """Observations in [start, end), the last one of each time; ``before`` adds the last one before ``start``.

        ``limit`` keeps the first observations only, and no more is read than a few times as many; the one from before
        counts among them.
        """
        if limit is None:
            return self.many_series([(twin, signal)], start, end, before=before, cut=cut)[twin, signal]
        pair = (twin, signal)
        _check_range(start, end)
        view = self._scan.view(cut)
        parts = [self._before(view, [pair], start)] if before else [view.rows([], start, end)]
        for low, high in strides(view, [pair], start, end):
            if sum(map(len, parts)) >= limit:
                break
            parts.append(view.rows([pair], low, high, self._sets([pair])))
        return _head(self._series(pair, parts, view.cut), limit)

    def many_series(
        self,
        wanted: Sequence[Pair],
        start: int,
        end: int,
        *,
        before: bool = False,
        cut: Cut | None = None,
        most: int | None = None,
    ) -> dict[Pair, Series]:
        """Several series in one read of the table, each as :meth:`series` gives it.

        Raises:
            InvalidInputError: ``history:too-many-rows`` if [start, end) holds more than ``most`` of all together.
        """
        pairs = list(dict.fromkeys(wanted))
        _check_range(start, end)
        view = self._scan.view(cut)
        parts: list[Found] = [self._before(view, pairs, start)] if before else []
        left = most
        for low, high in [(start, end)] if most is None else strides(view, pairs, start, end):
            parts.append(view.rows(pairs, low, high, self._sets(pairs)))
            if left is not None and (left := left - len(parts[-1])) < 0:
                fault = Fault("history:too-many-rows", f"There are more than {most} observations", "Ask for less time")
                raise InvalidInputError(fault)
        edges = [np.searchsorted(p.series, np.arange(len(pairs) + 1)) for p in parts]
        nothing = view.rows([], start, end)
        answer = {}
        for i, pair in enumerate(pairs):
            own = [p.pick(np.arange(e[i], e[i + 1])) for p, e in zip(parts, edges, strict=True)]
            answer[pair] = self._series(pair, own or [nothing], view.cut)
        return answer

    def _before(self, view: View, pairs: Sequence[Pair], start: int) -> Found:
        """The last observation of each pair before ``start``, however long ago."""
        gaps = np.full(len(pairs), FOREVER, dtype=np.int64)
        return before_start(view, list(pairs), start, gaps, self._latest.read())

    def downsample(
        self,
        wanted: Sequence[Pair],
        start: int,
        end: int,
        every: int,
        aggregations: Sequence[Aggregation],
        cut: Cut | None = None,
    ) -> dict[Pair, dict[str, list[Bucket]]]:
        """Buckets [start + k * every, ...) of each series, the last one cut off at ``end``.

        ``count`` is of observations with a value; flags count as 0 and 1. ``first`` and ``last`` are the first and
        last number observed in the bucket. ``tw_mean`` weights each value by how long it held, carried in from
        before the bucket, not across UNAVAILABLE nor beyond the signal's ``max_gap``; None where nothing held.
        """
        pairs = list(dict.fromkeys(wanted))
        _check_range(start, end, every)
        buckets, _ = self._buckets(pairs, start, end, every, cut, carry="tw_mean" in aggregations)
        starts = buckets.starts.tolist()
        counts = buckets.count.tolist()
        answer: dict[Pair, dict[str, list[Bucket]]] = {pair: {} for pair in pairs}
        for aggregation in aggregations:
            values = _aggregate(buckets, aggregation)
            known = np.isfinite(values).tolist()
            for pair, row, good, count in zip(pairs, values.tolist(), known, counts, strict=True):
                answer[pair][aggregation] = [
                    Bucket(s, v if k else None, c) for s, v, k, c in zip(starts, row, good, count, strict=True)
                ]
        return answer

    def durations(
        self, wanted: Sequence[Pair], start: int, end: int, every: int | None = None, cut: Cut | None = None
    ) -> dict[Pair, list[tuple[int, dict[str, int]]]]:
        """Nanoseconds per distinct value of text and flag signals in each bucket (``every`` None: one bucket).

        Key ``""`` is time without a known value; flags are ``false`` and ``true``. The parts of a bucket sum exactly
        to its length, which is ``every`` but for the last one.

        Raises:
            InvalidInputError: ``history:not-a-text`` for a signal whose values are numbers.
        """
        pairs = list(dict.fromkeys(wanted))
        every = end - start if every is None else every
        _check_range(start, end, every)
        buckets, words = self._buckets(pairs, start, end, every, cut, carry=True)
        if (buckets.held - _flag_time(buckets, words)).any():
            numeric = pairs[int(np.argmax((buckets.held - _flag_time(buckets, words)).any(axis=1)))]
            raise InvalidInputError(
                Fault("history:not-a-text", f"{numeric[1]} holds numbers; durations are of words", "Ask for tw_mean")
            )
        lengths = buckets.ends - buckets.starts
        cells: list[dict[str, int]] = [{} for _ in range(len(pairs) * len(lengths))]
        rest = np.tile(lengths, len(pairs))
        np.subtract.at(rest, buckets.spent_of, buckets.spent)
        spent = zip(buckets.spent_of.tolist(), buckets.spent_word.tolist(), buckets.spent.tolist(), strict=True)
        for cell, word, time in spent:
            cells[cell][words[word]] = time
        for cell in np.flatnonzero(rest).tolist():
            cells[cell][""] = cells[cell].get("", 0) + int(rest[cell])
        starts, width = buckets.starts.tolist(), len(lengths)
        return {
            pair: list(zip(starts, cells[i * width : (i + 1) * width], strict=True)) for i, pair in enumerate(pairs)
        }

    def last(self, twins: Sequence[str] | None = None) -> list[LastValue]:
        """The latest value of each signal, of all twins or some."""
        return last_values(self._scan.view(), self._engine, self._latest, twins)

    def changed_since(self, cut: Cut) -> dict[str, tuple[int, int]]:
        """Twins with rows after that cut: uid -> (earliest, latest) event time."""
        return changed_since(self._scan.view(), self._engine, cut)

    def quarantined(self, *, after: str = "", limit: int = 100, code: str = "", twin: str = "") -> list[Quarantined]:
        """Pages of quarantine, newest first; ``after`` is ``shard-seq-idx`` of the last one seen."""
        return self._quarantine.page(after, limit, code, twin)

    def quarantined_entry(self, id: str) -> Quarantined | None:
        """The entry ``shard-seq-idx``, also if it has been replayed; None if there never was one."""
        return self._quarantine.entry(id)

    def quarantine_counts(self) -> dict[str, int]:
        """How many entries of each code are in quarantine and not yet replayed."""
        return self._quarantine.counts()

    def backlogs(self, now: int) -> dict[str, Backlog]:
        """What ``roll-up`` and ``compaction`` of observations have still to do, as committed at ``now``."""
        root = self._folder / OBSERVATIONS
        files = list(self._observations.snapshot().files.values())
        covered = self._rollups.covered()[1]
        beyond = [f for f in files if is_beyond(f, covered)]
        small = [f for group in groups_to_compact(files, covered) for f in group]
        return {"roll-up": backlog_of(root, beyond, now), "compaction": backlog_of(root, small, now)}

    def export(
        self,
        wanted: Sequence[Pair],
        start: int,
        end: int,
        form: Form,
        metadata: Mapping[str, Any],
        cut: Cut | None = None,
    ) -> Iterator[bytes]:
        """Observations that hold in [start, end), with units and ``metadata``, as a stream of bytes.

        ``cut``: what was known then; without it what is known now.

        ``csv`` begins with comment lines (``# key: JSON``); ``parquet`` and ``arrow`` (IPC stream) carry the same in
        the schema's metadata. Columns: time (ns UTC), in csv also time_utc (RFC 3339), twin, signal, number, text,
        flag, unit, quality, received, replayed. Memory stays at about a day of the wanted signals.
        """
        _check_range(start, end)
        pairs = list(dict.fromkeys(wanted))
        return export(self._scan.view(cut), pairs, self._sets(pairs), start, end, form, metadata, self._define)

    def _sets(self, pairs: Sequence[Pair]) -> Bools:
        definitions = [self._define(*pair) if self._define else None for pair in pairs]
        return np.array([d is not None and d.type == "condition" for d in definitions], dtype=np.bool_)

    def _series(self, pair: Pair, parts: Sequence[Found], cut: Cut) -> Series:
        time, number, flag, quality = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("time", "number", "flag", "quality")
        )
        definition = self._define(*pair) if self._define else None
        kind = definition.type if definition else None
        if kind is None:
            has_text = any((p.text >= 0).any() for p in parts)
            kind = "text" if has_text else "flag" if (flag >= 0).any() else "number"
        text = None
        if kind in {"text", "condition"}:
            text = [w for p in parts for w in np.array([*p.words, None], dtype=object)[p.text].tolist()]
        return Series(
            *pair,
            time=time,
            number=number if kind == "number" else None,
            text=text,
            flag=flag if kind == "flag" else None,
            quality=quality.astype(np.uint8),
            cut=cut,
        )

    def _buckets(
        self, pairs: Sequence[Pair], start: int, end: int, every: int, cut: Cut | None, *, carry: bool
    ) -> tuple[Buckets, list[str]]:
        view = self._scan.view(cut)
        gaps = gaps_of(self._define, pairs)
        words: Words = {}
        earlier = view.rows([], start, start)
        if carry:
            earlier = before_start(view, pairs, start, gaps, self._latest.read())
        carried = samples_of(earlier, words)
        if start % HOUR or every % HOUR:
            parts = fold(samples_of(view.rows(pairs, start, end), words), every, start, gaps)
        else:
            # The question alone decides whether hours are merged into days first, so that the order of additions,
            # and with it the last digit, is the same with roll-ups and without.
            rolled = Rolled(self._rollups, view, pairs, gaps, words)
            parts = rolled.partials(start, end, coarse=not (start % DAY or every % DAY))
        return spread(parts, carried, len(pairs), start, end, every, gaps), list(words)


def gaps_of(define: Define | None, pairs: Sequence[Pair]) -> Int64s:
    """``max_gap`` of each pair in ns; a very long time where none is declared."""
    gaps = np.full(len(pairs), FOREVER, dtype=np.int64)
    if define:
        for i, pair in enumerate(pairs):
            definition = define(*pair)
            if definition and definition.reporting.max_gap is not None:
                gaps[i] = definition.reporting.max_gap
    return gaps


def _flag_time(buckets: Buckets, words: Sequence[str]) -> Int64s:
    """Time in each cell that was spent in a flag, which counts as a number too."""
    flags = [i for i, w in enumerate(words) if w in {"false", "true"}]
    out = np.zeros(buckets.held.size, dtype=np.int64)
    mask = np.isin(buckets.spent_word, flags)
    np.add.at(out, buckets.spent_of[mask], buckets.spent[mask])
    return np.minimum(out.reshape(buckets.held.shape), buckets.held)


def _aggregate(buckets: Buckets, aggregation: Aggregation) -> Floats:
    match aggregation:
        case "mean":
            return buckets.total / np.where(buckets.count, buckets.count, 1)
        case "sum":
            return buckets.total
        case "min":
            return buckets.low
        case "max":
            return buckets.high
        case "first":
            return buckets.first
        case "last":
            return buckets.last
        case "count":
            return buckets.count.astype(np.float64)
        case "tw_mean":
            held = np.where(buckets.held, buckets.held, 1)
            return np.where(buckets.held, buckets.integral / held, np.nan)


def _head(series: Series, limit: int) -> Series:
    return Series(
        series.twin,
        series.signal,
        series.time[:limit],
        None if series.number is None else series.number[:limit],
        None if series.text is None else series.text[:limit],
        None if series.flag is None else series.flag[:limit],
        series.quality[:limit],
        series.cut,
    )


def _check_range(start: int, end: int, every: int = FOREVER) -> None:
    if end <= start:
        fault = Fault("time:range-empty", "the range ends before it starts", "Give `from` before `to`", "to")
        raise InvalidInputError(fault)
    if every <= 0 or (end - start) // every > MOST_BUCKETS:
        fault = Fault("history:too-many-buckets", f"more than {MOST_BUCKETS} buckets", "Ask for wider ones", "every")
        raise InvalidInputError(fault)
