"""A requirement watched while data come in: each verdict at the earliest moment at which it is determined."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Generic

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.formula.tree import (
    LOGIC,
    Active,
    Compare,
    Count,
    Duration,
    Formula,
    Historically,
    Is,
    NextChange,
    Once,
    Since,
    parts_of,
    reach,
    signals_of,
    walk,
)
from servitwin.proof.monitor.algebra import Algebra, Stretches, T
from servitwin.proof.monitor.arrays import Arrays
from servitwin.proof.monitor.batch import Batch, Flips, flips_of
from servitwin.proof.monitor.check import check_formula
from servitwin.proof.monitor.feed import Held, SignalSettings, Told
from servitwin.proof.monitor.lists import Lists, Runs, as_arrays, present
from servitwin.proof.monitor.pieces import (
    FALSE,
    INCONCLUSIVE,
    TRUE,
    decided_runs,
    decisions_of,
    merge_pieces,
)
from servitwin.proof.monitor.reading import compare
from servitwin.proof.monitor.trace import Piece, SignalTrace, Verdict
from servitwin.proof.monitor.tracks import Carried, Pair, is_leaf, order_of, remembered, truths
from servitwin.proof.monitor.truth import FIRST, LAST, Truth

LISTS, ARRAYS = Lists(), Arrays()
#: Runs of all comparisons of a formula up to which lists are faster than arrays.
_FEW = 160
_BOUNDS = {
    TRUE: (Verdict.TRUE, 0.0, np.inf),
    FALSE: (Verdict.FALSE, -np.inf, 0.0),
    INCONCLUSIVE: (Verdict.INCONCLUSIVE, -np.inf, np.inf),
}


class _Saved(msgspec.Struct, array_like=True):
    """Everything a monitor knows: little, because only what windows can still read is kept."""

    logic: str
    formula: bytes
    now: int
    waiting: list[tuple[int, int]]
    held: dict[str, Held]
    leaves: list[tuple[list[int], list[bool], list[int], list[bool]]]
    changes: dict[str, tuple[list[int], list[bool]]]
    carried: list[tuple[int, int, bool, bool]]


@dataclass(slots=True, eq=False)
class _Kept(Generic[T]):
    """What evaluation reads: the truth of comparisons and the values of signals as far as they are kept."""

    algebra: Algebra[T]
    truth: Mapping[int, Pair[T]]
    changes: Mapping[str, Stretches]

    def leaf(self, node: Compare | Is | Active) -> Pair[T]:
        return self.truth[id(node)]

    def stretches(self, signal: str) -> Stretches:
        return self.changes[signal]


class OnlineMonitor:
    """One requirement of one twin.

    What it says does not depend on how data are cut into steps: :func:`~servitwin.proof.monitor.pieces.merge_pieces`
    over the pieces of any split is the same, and the verdicts are those of
    :func:`~servitwin.proof.monitor.history.evaluate`. Data that come late (before the watermark) are refused: the
    caller steps again from an earlier snapshot. Bounds of robustness say no more than the verdict; the margin of
    a piece is read from history.

    It works on changes of truth. While no comparison changes, a step costs one look at the new samples: what follows
    if nothing changes any more was computed at the last change, with the instants at which it becomes certain.
    """

    def __init__(
        self,
        formula: Formula,
        settings: Mapping[str, SignalSettings],
        start: int,
        snapshot: bytes | None = None,
    ) -> None:
        """Watch from ``start`` (ns) on, or go on where ``snapshot`` was taken.

        Raises:
            InvalidInputError: as :func:`~servitwin.proof.monitor.check.check_formula`; ``monitor:other-formula`` if
                the snapshot is of another one; ``monitor:snapshot-unreadable``.
        """
        self._formula = check_formula(formula, settings)
        nodes = list(walk(self._formula))
        self._leaves = [n for n in nodes if is_leaf(n)]
        self._unbounded: list[tuple[int, Any]] = [
            (i, n) for i, n in enumerate(nodes) if isinstance(n, Once | Historically | Since) and n.window.high is None
        ]
        self._order = order_of(self._formula)
        self._keeps = _kept(self._formula)
        self._horizon = reach(self._formula)[1]
        self._settings = {name: settings[name] for name in signals_of(self._formula)}
        self._reads = [signals_of(n) for n in self._leaves]
        self._truth = {id(n): _before(n) for n in self._leaves}
        unknown = Stretches(np.array([FIRST]), np.array([False]))
        self._changes = {n.signal: unknown for n in nodes if isinstance(n, NextChange)}
        self._held = {name: Held() for name in self._settings}
        self._carried: dict[int, Carried] = {}
        self._now = FIRST
        self._waiting: list[tuple[int, int]] = []
        self._start = start
        if snapshot is not None:
            self._restore(snapshot)
        self._evaluate()

    @property
    def watermark(self) -> int:
        """All observations before it have been seen (ns)."""
        return self._now

    @property
    def open_since(self) -> int | None:
        """The first instant whose verdict still waits, None if there is none."""
        return self._waiting[0][0] if self._waiting else None

    def step(self, samples: Mapping[str, SignalTrace] | Batch, watermark: int) -> list[Piece]:
        """Take new observations, and say what they and the passing of time have determined.

        Args:
            samples: by signal, those of [previous watermark, watermark); accuracy is that of the settings. Signals that
                the formula does not read are left alone. A :class:`~servitwin.proof.monitor.batch.Batch` of them is
                read once for all monitors that are given it.
            watermark: no observation before it is missing any more (ns).

        Raises:
            InvalidInputError: ``monitor:late`` for a sample or a watermark before the previous one,
                ``monitor:ahead`` for a sample that is not before the watermark, ``trace:*``.
        """
        if watermark < self._now:
            raise _late("", watermark, self._now)
        batch = samples if isinstance(samples, Batch) else Batch(samples)
        told: dict[str, Told] = {}
        for name, setting in self._settings.items():
            news = batch.told(name, self._held[name], setting, self._now, watermark)
            if news is not None:
                told[name] = news
        if told:
            self._read(batch, told)
        return self._emit(watermark)

    def snapshot(self) -> bytes:
        """What it knows, for a restart."""
        saved = _Saved(
            LOGIC,
            msgspec.msgpack.encode(self._formula),
            self._now,
            self._waiting,
            self._held,
            [
                ([r[0] for r in p.rows], [r[1] for r in p.rows], [r[0] for r in q.rows], [r[1] for r in q.rows])
                for p, q in (self._truth[id(n)] for n in self._leaves)
            ],
            {name: (s.start.tolist(), s.known.tolist()) for name, s in self._changes.items()},
            [(i, *self._carried[id(n)]) for i, n in self._unbounded if id(n) in self._carried],
        )
        return msgspec.msgpack.encode(saved)

    # --- inside ----------------------------------------------------------------------------------------------------
    def _read(self, batch: Batch, told: Mapping[str, Told]) -> None:
        """Turn samples into changes of truth; if there are any, forget what no window reads, and evaluate again."""
        fresh: dict[int, tuple[Flips, Flips]] = {}
        for node, reads in zip(self._leaves, self._reads, strict=True):
            if len(reads) == 1 and reads[0] in told:
                one, two = batch.flips(node, told[reads[0]])
            elif isinstance(node, Compare) and any(name in told for name in reads):
                one, two = flips_of(compare(node, self._together(told, reads)), self._now)
            else:
                continue
            certain, possible = self._truth[id(node)]
            if _turns(certain, one) or _turns(possible, two):
                fresh[id(node)] = one, two
        moved = {n: told[n].changes for n in self._changes if n in told}
        moved = {n: one for n, one in moved.items() if len(one.start)}
        for name, news in told.items():
            self._held[name] = news.held
        if not fresh and not moved:
            return
        self._forget()
        for key, (one, two) in fresh.items():
            old = self._truth[key]
            certain = _appended(old.certain, one)
            same = old.certain is old.possible and one is two
            self._truth[key] = Pair(certain, certain if same else _appended(old.possible, two))
        for name, change in moved.items():
            told_before = self._changes[name]
            self._changes[name] = Stretches(
                np.concatenate([told_before.start, change.start]), np.concatenate([told_before.known, change.known])
            )
        self._evaluate()

    def _together(self, told: Mapping[str, Told], reads: Iterable[str]) -> dict[str, SignalTrace]:
        return {
            name: told[name].trace if name in told else self._held[name].alone(self._settings[name]) for name in reads
        }

    def _oldest(self) -> int:
        return self._waiting[0][0] if self._waiting else max(self._now, self._start)

    def _evaluate(self) -> None:
        start = self._oldest()
        if sum(len(side.rows) for pair in self._truth.values() for side in pair) <= _FEW:
            few = _Kept(LISTS, self._truth, self._changes)
            found = truths(self._formula, few, self._carried, self._order)
            self._decisions = decided_runs(found[id(self._formula)], start)
            self._remembered = partial(remembered, LISTS, found=found)
            return
        arrays = {key: _as_arrays(pair) for key, pair in self._truth.items()}
        many = _Kept(ARRAYS, arrays, self._changes)
        seen = truths(self._formula, many, self._carried, self._order)
        decided = decisions_of(seen[id(self._formula)], start)
        self._decisions = list(zip(*(a.tolist() for a in decided), strict=True))
        self._remembered = partial(remembered, ARRAYS, found=seen)

    def _forget(self) -> None:
        """Give up what lies further back than any window reads from the oldest open instant."""
        edge = min(self._oldest(), self._now - self._horizon) - self._keeps[id(self._formula)]
        if edge <= FIRST:
            return
        carried = {}
        for _, node in self._unbounded:
            cut = edge + max(self._keeps[id(p)] for p in parts_of(node))
            old = self._carried.get(id(node))
            carried[id(node)] = old if old is not None and old.cut >= cut else self._remembered(node, old=old, cut=cut)
        self._carried = carried
        for key, pair in self._truth.items():
            certain = _from(pair.certain, edge)
            possible = certain if pair.certain is pair.possible else _from(pair.possible, edge)
            # One truth for both where nothing that is kept is inconclusive: half the work.
            self._truth[key] = Pair(certain, certain if possible.rows == certain.rows else possible)
        for name, one in self._changes.items():
            i = int(np.searchsorted(one.start, edge, side="right")) - 1
            if i > 0:
                self._changes[name] = Stretches(np.append(np.array([FIRST]), one.start[i + 1 :]), one.known[i:])

    def _emit(self, watermark: int) -> list[Piece]:
        waiting = self._waiting
        begin = max(self._now, self._start)
        if watermark > begin:
            waiting = [*waiting[:-1], (waiting[-1][0], watermark)] if waiting and waiting[-1][1] == begin else [
                *waiting, (begin, watermark),
            ]  # fmt: skip
        self._now = watermark
        pieces: list[Piece] = []
        rest: list[tuple[int, int]] = []
        runs = self._decisions
        ends = [run[0] for run in runs[1:]]
        ends.append(LAST)
        r = 0
        for begins, b in waiting:
            a = begins
            while a < b:
                while ends[r] <= a:
                    r += 1
                _, verdict, base, slope = runs[r]
                stop = min(b, ends[r])
                # The part of [a, stop) that is decided: all or nothing, or what the line has reached.
                done = (stop if base < watermark else a) if not slope else min(stop, watermark - base)
                if done > a:
                    word, least, most = _BOUNDS[verdict]
                    pieces.append(Piece(a, done, word, least, most, base + slope * a))
                if done < stop:
                    after = max(a, done)
                    if rest and rest[-1][1] == after:
                        rest[-1] = (rest[-1][0], stop)
                    else:
                        rest.append((after, stop))
                a = stop
        self._waiting = rest
        return merge_pieces(pieces) if len(pieces) > 1 else pieces

    def _restore(self, snapshot: bytes) -> None:
        try:
            saved = msgspec.msgpack.decode(snapshot, type=_Saved)
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise InvalidInputError(Fault("monitor:snapshot-unreadable", f"This is no snapshot: {e}")) from e
        if saved.logic != LOGIC or saved.formula != msgspec.msgpack.encode(self._formula):
            raise InvalidInputError(
                Fault(
                    "monitor:other-formula",
                    "The snapshot was taken of another formula",
                    "Start without it, from data that reach back as far as the formula looks",
                )
            )
        self._now, self._waiting = saved.now, [(a, b) for a, b in saved.waiting]
        self._held.update(saved.held)
        for node, (a, b, c, d) in zip(self._leaves, saved.leaves, strict=True):
            if signals_of(node):
                self._truth[id(node)] = Pair(present(zip(a, b, strict=True)), present(zip(c, d, strict=True)))
        for name, (start, known) in saved.changes.items():
            self._changes[name] = Stretches(np.array(start, np.int64), np.array(known, np.bool_))
        nodes = dict(self._unbounded)
        self._carried = {id(nodes[i]): Carried(cut, yes, maybe) for i, cut, yes, maybe in saved.carried}


def _kept(formula: Formula) -> dict[int, int]:
    """How far each part looks back by itself; an operator without bounds remembers what lies behind its low bound."""
    found: dict[int, int] = {}
    for node in reversed(list(walk(formula))):
        far = max((found[id(p)] for p in parts_of(node)), default=0)
        match node:
            case Once(window=w) | Historically(window=w) | Since(window=w):
                far += (w.low if w.high is None else w.high) + 1
            case Count(past=past) | Duration(past=past):
                far += past + 1
            case _:
                pass
        found[id(node)] = min(far, LAST - 1)
    return found


def _before(node: Compare | Is | Active) -> Pair[Runs]:
    """What a comparison is before anything was heard: nothing is known but of constants."""
    if isinstance(node, Compare) and not signals_of(node):
        sampled = compare(node, {})
        return Pair(LISTS.constant(bool(sampled.certain[0])), LISTS.constant(bool(sampled.possible[0])))
    return Pair(present([(FIRST, False)]), present([(FIRST, True)]))


def _turns(old: Runs, flips: Flips) -> bool:
    return len(flips) > 1 or (len(flips) == 1 and flips[0][1] != old.rows[-1][1])


def _appended(old: Runs, flips: Flips) -> Runs:
    rows = list(old.rows)
    for at, true in flips:
        if true != rows[-1][1]:
            rows.append((at, true, 0, 1))
    return Runs(rows, old.at_once)


def _as_arrays(pair: Pair[Runs]) -> Pair[Truth]:
    certain = as_arrays(pair.certain)
    return Pair(certain, certain if pair.certain is pair.possible else as_arrays(pair.possible))


def _from(a: Runs, edge: int) -> Runs:
    i = bisect_right(a.rows, edge, key=itemgetter(0)) - 1
    if i <= 0:
        return a
    return Runs([(FIRST, *a.rows[i][1:]), *a.rows[i + 1 :]], a.at_once)


def _late(name: str, time: int, now: int) -> InvalidInputError:
    return InvalidInputError(
        Fault(
            "monitor:late",
            f"{name or 'The watermark'} goes back to {time}, before the watermark {now}",
            "Step again from an earlier snapshot",
            name,
        )
    )
