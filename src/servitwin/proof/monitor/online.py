"""A requirement watched while data come in: each verdict at the earliest moment at which it is determined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from servitwin.proof.monitor.check import check_formula
from servitwin.proof.monitor.feed import Held, SignalSettings, Told
from servitwin.proof.monitor.pieces import FALSE, INCONCLUSIVE, TRUE, decisions_of, merge_pieces
from servitwin.proof.monitor.reading import compare, member
from servitwin.proof.monitor.trace import Piece, SignalTrace, Verdict
from servitwin.proof.monitor.tracks import Carried, Pair, Stretches, order_of, remembered, truths
from servitwin.proof.monitor.truth import FIRST, LAST, Truth, constant, present

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
        self._leaves: list[Any] = [n for n in nodes if isinstance(n, Is | Active) or _is_plain(n)]
        self._unbounded: list[tuple[int, Any]] = [
            (i, n) for i, n in enumerate(nodes) if isinstance(n, Once | Historically | Since) and n.window.high is None
        ]
        self._order = order_of(self._formula)
        self._keeps = _kept(self._formula)
        self._horizon = reach(self._formula)[1]
        self._settings = {name: settings[name] for name in signals_of(self._formula)}
        self._reads = [signals_of(n) for n in self._leaves]
        self._truth = {id(n): self._before(n) for n in self._leaves}
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

    def step(self, samples: Mapping[str, SignalTrace], watermark: int) -> list[Piece]:
        """Take new observations, and say what they and the passing of time have determined.

        Args:
            samples: by signal, those of [previous watermark, watermark); accuracy is that of the settings. Signals that
                the formula does not read are left alone.
            watermark: no observation before it is missing any more (ns).

        Raises:
            InvalidInputError: ``monitor:late`` for a sample or a watermark before the previous one,
                ``monitor:ahead`` for a sample that is not before the watermark, ``trace:*``.
        """
        if watermark < self._now:
            raise _late("", watermark, self._now)
        told: dict[str, Told] = {}
        for name, setting in self._settings.items():
            news = self._held[name].told(
                name, samples.get(name), setting, self._now, watermark, changes=name in self._changes
            )
            if news is not None:
                told[name] = news
        if told:
            self._read(told)
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
                (p.start.tolist(), p.true.tolist(), q.start.tolist(), q.true.tolist())
                for p, q in (self._truth[id(n)] for n in self._leaves)
            ],
            {name: (s.start.tolist(), s.known.tolist()) for name, s in self._changes.items()},
            [(i, *self._carried[id(n)]) for i, n in self._unbounded if id(n) in self._carried],
        )
        return msgspec.msgpack.encode(saved)

    # --- what evaluation reads -------------------------------------------------------------------------------------
    def leaf(self, node: Compare | Is | Active) -> Pair:
        """The truth of a comparison as far as it is kept."""
        return self._truth[id(node)]

    def stretches(self, signal: str) -> Stretches:
        """The values of a signal as far as they are kept."""
        return self._changes[signal]

    # --- inside ----------------------------------------------------------------------------------------------------
    def _before(self, node: Compare | Is | Active) -> Pair:
        if isinstance(node, Compare) and not signals_of(node):
            sampled = compare(node, {})
            return Pair(constant(bool(sampled.certain[0])), constant(bool(sampled.possible[0])))
        first = np.array([FIRST])
        return Pair(present(first, np.array([False])), present(first, np.array([True])))

    def _read(self, told: Mapping[str, Told]) -> None:
        """Turn samples into changes of truth; if there are any, forget what no window reads, and evaluate again."""
        fresh: dict[int, tuple[Truth | None, Truth | None]] = {}
        for node, reads in zip(self._leaves, self._reads, strict=True):
            if not any(name in told for name in reads):
                continue
            signals = {
                name: told[name].trace if name in told else self._held[name].alone(self._settings[name])
                for name in reads
            }
            sampled = compare(node, signals) if isinstance(node, Compare) else member(node, signals[node.signal])
            certain, possible = self._truth[id(node)]
            first = _changed(certain, sampled.times, sampled.certain, self._now)
            alike = sampled.certain is sampled.possible and bool(certain.true[-1] == possible.true[-1])
            both = (first, first if alike else _changed(possible, sampled.times, sampled.possible, self._now))
            if both != (None, None):
                fresh[id(node)] = both
        moved = {n: told[n].changes for n in self._changes if n in told and len(told[n].changes.start)}
        for name, news in told.items():
            self._held[name] = news.held
        if not fresh and not moved:
            return
        self._forget()
        for key, news_of in fresh.items():
            old, (one, two) = self._truth[key], news_of
            certain = old.certain if one is None else _appended(old.certain, one)
            same = old.certain is old.possible and one is two
            possible = certain if same else old.possible if two is None else _appended(old.possible, two)
            self._truth[key] = Pair(certain, possible)
        for name, change in moved.items():
            told_before = self._changes[name]
            self._changes[name] = Stretches(
                np.concatenate([told_before.start, change.start]), np.concatenate([told_before.known, change.known])
            )
        self._evaluate()

    def _oldest(self) -> int:
        return self._waiting[0][0] if self._waiting else max(self._now, self._start)

    def _evaluate(self) -> None:
        self._found = truths(self._formula, self, self._carried, self._order)
        self._decisions = [a.tolist() for a in decisions_of(self._found[id(self._formula)], self._oldest())]

    def _forget(self) -> None:
        """Give up what lies further back than any window reads from the oldest open instant."""
        edge = min(self._oldest(), self._now - self._horizon) - self._keeps[id(self._formula)]
        if edge <= FIRST:
            return
        carried = {}
        for _, node in self._unbounded:
            cut = edge + max(self._keeps[id(p)] for p in parts_of(node))
            old = self._carried.get(id(node))
            carried[id(node)] = old if old is not None and old.cut >= cut else remembered(node, self._found, old, cut)
        self._carried = carried
        for key, pair in self._truth.items():
            certain = _from(pair.certain, edge)
            possible = certain if pair.certain is pair.possible else _from(pair.possible, edge)
            self._truth[key] = _shared(certain, possible)
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
        starts, verdicts, bases, slopes = self._decisions
        r = 0
        for begins, b in waiting:
            a = begins
            while r + 1 < len(starts) and starts[r + 1] <= a:
                r += 1
            while a < b:
                stop = min(b, starts[r + 1]) if r + 1 < len(starts) else b
                # The part of [a, stop) that is decided: all or nothing, or what the line has reached.
                done = (stop if bases[r] < watermark else a) if not slopes[r] else min(stop, watermark - bases[r])
                if done > a:
                    verdict, least, most = _BOUNDS[verdicts[r]]
                    pieces.append(Piece(a, done, verdict, least, most, bases[r] + slopes[r] * a))
                if done < stop:
                    after = max(a, done)
                    if rest and rest[-1][1] == after:
                        rest[-1] = (rest[-1][0], stop)
                    else:
                        rest.append((after, stop))
                a = stop
                if r + 1 < len(starts) and starts[r + 1] <= a:
                    r += 1
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
                self._truth[id(node)] = Pair(
                    present(np.array(a, np.int64), np.array(b, np.bool_)),
                    present(np.array(c, np.int64), np.array(d, np.bool_)),
                )
        for name, (start, known) in saved.changes.items():
            self._changes[name] = Stretches(np.array(start, np.int64), np.array(known, np.bool_))
        nodes = dict(self._unbounded)
        self._carried = {id(nodes[i]): Carried(cut, yes, maybe) for i, cut, yes, maybe in saved.carried}


def _is_plain(node: object) -> bool:
    return isinstance(node, Compare) and not isinstance(node.left, Count | Duration)


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


def _changed(old: Truth, times: Any, flags: Any, now: int) -> Truth | None:
    """Changes of truth among samples from ``now`` on, None if there are none."""
    before = bool(old.true[-1])
    if len(times) and times[0] < now:
        n = int(np.searchsorted(times, now))
        times, flags = times[n:], flags[n:]
    if not len(flags) or bool((flags == before).all()):
        return None
    changes = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    if bool(flags[0]) != before:
        changes = np.concatenate([np.zeros(1, np.intp), changes])
    return present(times[changes], flags[changes])


def _appended(old: Truth, new: Truth) -> Truth:
    return Truth(
        np.concatenate([old.start, new.start]),
        np.concatenate([old.true, new.true]),
        np.concatenate([old.base, new.base]),
        np.concatenate([old.slope, new.slope]),
        old.at_once and new.at_once,
    )


def _shared(certain: Truth, possible: Truth) -> Pair:
    """One truth for both where nothing that is kept is inconclusive: half the work."""
    alike = np.array_equal(certain.start, possible.start) and np.array_equal(certain.true, possible.true)
    return Pair(certain, certain if alike and certain.at_once and possible.at_once else possible)


def _from(a: Truth, edge: int) -> Truth:
    i = int(np.searchsorted(a.start, edge, side="right")) - 1
    if i <= 0:
        return a
    start = a.start[i:].copy()
    start[0] = FIRST
    return Truth(start, a.true[i:], a.base[i:], a.slope[i:], a.at_once)


def _late(name: str, time: int, now: int) -> InvalidInputError:
    return InvalidInputError(
        Fault(
            "monitor:late",
            f"{name or 'The watermark'} goes back to {time}, before the watermark {now}",
            "Step again from an earlier snapshot",
            name,
        )
    )
