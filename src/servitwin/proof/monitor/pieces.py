"""From the truth of a formula to pieces with one verdict each, and what is still open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Int64s
from servitwin.proof.monitor.lists import Runs, aligned, later
from servitwin.proof.monitor.trace import Piece, Verdict
from servitwin.proof.monitor.tracks import Pair
from servitwin.proof.monitor.truth import FIRST, LAST, Truth, extreme, instants

#: ``determined`` of a piece that waits for what is still to come.
NEVER = (1 << 63) - 1
FALSE, TRUE, INCONCLUSIVE, OPEN = 0, 1, 2, 3
_VERDICT = (Verdict.FALSE, Verdict.TRUE, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


class Stretch(NamedTuple):
    """Runs [start, end) in order with a verdict (FALSE, TRUE, INCONCLUSIVE or OPEN) and its earliest decision."""

    start: Int64s
    end: Int64s
    verdict: npt.NDArray[np.int8]
    determined: Int64s


class Decisions(NamedTuple):
    """Verdict of each run and when it is decided: at ``base + slope * t`` for an instant t, never before t."""

    start: Int64s
    verdict: npt.NDArray[np.int8]
    base: Int64s
    slope: Int64s


def decisions_of(pair: Pair[Truth], start: int, end: int = LAST) -> Decisions:
    """What the verdicts on [start, end) are if nothing changes any more, and from when on that is certain."""
    certain, possible = pair
    inner = certain.start if certain is possible else instants(certain.start, possible.start)
    at = np.concatenate([np.array([start], np.int64), inner[(inner > start) & (inner < end)]])
    i, j = certain.index(at), possible.index(at)
    yes, maybe = certain.true[i], possible.true[j]
    verdict = np.where(yes, TRUE, np.where(maybe, INCONCLUSIVE, FALSE)).astype(np.int8)
    one = np.where(maybe, certain.base[i], FIRST), np.where(maybe, certain.slope[i], 0)
    two = np.where(yes, FIRST, possible.base[j]), np.where(yes, 0, possible.slope[j])
    if _is_present(one, maybe) and _is_present(two, ~yes):
        return Decisions(at, verdict, np.zeros(len(at), np.int64), np.ones(len(at), np.int64))
    latest = np.ones(len(at), np.bool_)
    if certain is possible:
        base, slope = certain.base[i], certain.slope[i]
        late = np.where(slope == 1, base >= 0, base >= np.append(at[1:], end) - 1)
        if late.all():
            return Decisions(at, verdict, base, slope)
    when = extreme(at, latest, one, two, latest=latest)
    at2 = _from(start, end, at, when.start)
    m, latest = when.index(at2), np.ones(len(at2), np.bool_)
    itself = np.zeros(len(at2), np.int64), np.ones(len(at2), np.int64)
    when = extreme(at2, latest, (when.base[m], when.slope[m]), itself, latest=latest)
    at3 = _from(start, end, at, when.start)
    m = when.index(at3)
    return Decisions(at3, verdict[np.searchsorted(at, at3, side="right") - 1], when.base[m], when.slope[m])


def decided_runs(pair: Pair[Runs], start: int) -> list[tuple[int, int, int, int]]:
    """The same as :func:`decisions_of` for lists, from ``start`` on: (start, verdict, base, slope) in order."""
    found: list[tuple[int, int, int, int]] = []
    itself = (0, 1)
    for at, stop, (_, yes, *one), (_, maybe, *two) in aligned(*pair):
        if stop <= start:
            continue
        begin = max(at, start)
        verdict = TRUE if yes else INCONCLUSIVE if maybe else FALSE
        certain, possible = (one[0], one[1]), (two[0], two[1])
        if maybe and not yes:
            lines = later(begin, stop, certain, possible)
        else:
            lines = [(begin, stop, certain if yes else possible)]
        for a, b, line in lines:
            for cut, _, (base, slope) in later(a, b, line, itself):
                if not found or found[-1][1:] != (verdict, base, slope):
                    found.append((cut, verdict, base, slope))
    return found


def stretches_of(pair: Pair[Truth], start: int, now: int) -> Stretch:
    """Verdicts on [start, now) as far as what happened before ``now`` decides them, merged; OPEN where it does not.

    The decision of a merged run is the earliest inside it.
    """
    at, verdict, base, slope = decisions_of(pair, start, now)
    end = np.append(at[1:], now)
    # Where the decision is a line, it is reached by the part of the run before ``now - base``.
    cut = now - base
    splits = (slope == 1) & (cut > at) & (cut < end)
    index = np.repeat(np.arange(len(at)), 1 + splits)
    at2 = at[index]
    at2[np.flatnonzero(splits) + np.cumsum(splits)[splits]] = cut[splits]
    decision = np.minimum(base[index] + slope[index] * at2, LAST)
    own = np.where(decision < now, verdict[index], np.int8(OPEN)).astype(np.int8)
    return _merge(at2, np.append(at2[1:], now), own, np.where(own == OPEN, NEVER, decision))


def _from(start: int, end: int, *starts: Int64s) -> Int64s:
    every = instants(*starts)
    return np.concatenate([np.array([start], np.int64), every[(every > start) & (every < end)]])


def _is_present(line: tuple[Int64s, Int64s], where: npt.NDArray[np.bool_]) -> bool:
    return bool(np.all(((line[0] == 0) & (line[1] == 1)) | ~where)) and bool(np.any(where))


def pieces_of(runs: Stretch, least: npt.NDArray[np.float64], most: npt.NDArray[np.float64]) -> list[Piece]:
    """Runs as pieces with the bounds of their robustness."""
    rows = zip(*(a.tolist() for a in (runs.start, runs.end, runs.verdict, least, most, runs.determined)), strict=True)
    return [Piece(s, e, _VERDICT[v], lo, hi, d) for s, e, v, lo, hi, d in rows]


def merge_pieces(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces in order of time, touching ones with one verdict as one: least bounds, earliest decision.

    What is open stays apart from what is known to be inconclusive. So any split of the same data comes to the same.
    """
    merged: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: p.start):
        last = merged[-1] if merged else None
        alike = last is not None and last.end == piece.start and last.verdict == piece.verdict
        if last is not None and alike and (last.determined == NEVER) == (piece.determined == NEVER):
            merged[-1] = msgspec.structs.replace(
                last,
                end=piece.end,
                least=min(last.least, piece.least),
                most=min(last.most, piece.most),
                determined=min(last.determined, piece.determined),
            )
        else:
            merged.append(piece)
    return merged


def _merge(start: Int64s, end: Int64s, verdict: npt.NDArray[np.int8], determined: Int64s) -> Stretch:
    keep = np.ones(len(start), np.bool_)
    np.not_equal(verdict[1:], verdict[:-1], out=keep[1:])
    first = np.flatnonzero(keep)
    last = np.append(first[1:], len(start)) - 1
    return Stretch(start[first], end[last], verdict[first], np.minimum.reduceat(determined, first))
