"""Regimes that are found in numbers that say how a machine is run: a spindle's speed, a step of load, a set-point.

The bins of the first stretch are parted by the levels of one setting after the other, the one whose levels lie farthest
apart first, until no setting of a part has more than one. So a regime is a box: a range of each setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from servitwin.domain.anomaly.bins import BETWEEN, Bins, SettingBins
from servitwin.domain.anomaly.levels import Level, levels_of, noise_of_steps, resolution
from servitwin.domain.anomaly.regime_words import names_of, not_found, notes_of
from servitwin.domain.error import Fault
from servitwin.domain.observation import Bools, Floats

STEADY = 4.0  # median spans within a bin beyond which a setting was changed in it; mere scatter stays below
ALMOST = 0.05  # or this share of its whole range, where it hardly scatters
ON_THE_WAY = 0.25  # share of its whole range: bins with a wider span are not looked at before regimes are known
MARGIN = 0.25  # widths of its range by which a regime reaches beyond what was seen of it
NEIGHBOURLY = 0.4  # share of the gap to the next level that it may take for that
MOST_LEVELS = 12  # of one setting; one that has more wanders in steps
MOST = 24  # regimes that are told apart; a model of each is kept

CHANGED = "regime-changed"
NOT_LEARNT = "regime-not-learnt"
NOT_KNOWN = "regime-not-known"


class FoundRegime(msgspec.Struct, frozen=True):
    """A regime by the range of each setting, in its unit; ``moves``: how far each may move within a bin."""

    name: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    moves: tuple[float, ...]


class FoundRegimes(msgspec.Struct, frozen=True):
    """The regimes under each word of the text signal that says the regime; under ``all`` where there is none."""

    of: dict[str, tuple[FoundRegime, ...]]

    def named(self, bins: Bins) -> tuple[list[str], list[str]]:
        """Regime of each bin, and where it has none, why; no text says that it has one."""
        names, own = [BETWEEN] * len(bins), bins.settings
        if own is None:
            return names, [NOT_KNOWN] * len(bins)
        known = ~np.isnan(own.mean).any(axis=1)
        most = np.max([r.moves for regimes in self.of.values() for r in regimes], axis=0, initial=0.0)
        changed = np.any(own.span > most, axis=1) | _are(bins.regime, BETWEEN)
        why = np.where(known, np.where(changed, CHANGED, NOT_LEARNT), NOT_KNOWN).tolist()
        for word, regimes in self.of.items():
            for r in regimes:
                inside = _are(bins.regime, word) & _inside(own.mean, r.low, r.high)
                steady = np.all(own.span <= np.array(r.moves), axis=1)
                for k in np.flatnonzero(inside).tolist():
                    names[k], why[k] = (r.name, "") if steady[k] else (BETWEEN, CHANGED)
        return names, why


class _Part(msgspec.Struct):
    """Bins that are not parted yet: their rows, and the bounds that levels beside them set."""

    rows: SettingBins
    lower: Floats
    upper: Floats


def find_regimes(bins: Bins, least: int) -> tuple[FoundRegimes, list[Fault], list[Fault]]:
    """Regimes of at least ``least`` bins by their settings, under each word of a text signal for itself.

    Returns also why there are none (empty if there are some), and notes that people should read: settings that part no
    regimes, and bins that belong to none.
    """
    own, count = bins.settings, len(bins)
    none = FoundRegimes({})
    if own is None or not count:
        return none, [], []
    known = ~np.isnan(own.mean).any(axis=1)
    if known.sum() < least:
        return none, not_found(own, 0, least), []
    whole = np.ptp(own.mean[known], axis=0)
    finest = np.array([resolution(column) for column in own.mean[known].T])
    wide = np.maximum(ON_THE_WAY * whole, STEADY * np.median(own.span[known], axis=0))
    use = known & (own.span <= np.maximum(wide, finest)).all(axis=1)
    boxes: list[tuple[str, FoundRegime, FoundRegime]] = []  # word, what was seen, how far it reaches
    inside = 0
    for word in sorted(set(bins.regime) - {BETWEEN}):
        found = []
        for part in _parts(_rows(own, use & _are(bins.regime, word)), finest, least, MOST - len(boxes)):
            seen, reach, members = _box(part, finest, ALMOST * whole, least)
            if members >= least:
                found.append((word, seen, reach))
                inside += members
        boxes += sorted(found, key=lambda box: box[1].low)
    if not boxes:
        return none, not_found(own, int(use.sum()), least), []
    ranges = [(word, seen.low, seen.high) for word, seen, _ in boxes]
    of: dict[str, tuple[FoundRegime, ...]] = {}
    for (word, _, reach), name in zip(boxes, names_of(own.names, ranges, whole, finest), strict=True):
        of[word] = (*of.get(word, ()), msgspec.structs.replace(reach, name=name))
    return FoundRegimes(of), [], notes_of(own.names, ranges, whole, finest, (count - inside, count, least))


def _rows(own: SettingBins, at: Bools) -> SettingBins:
    return SettingBins(own.names, own.mean[at], own.span[at])


def _noise(rows: SettingBins, finest: Floats) -> list[float]:
    """How far each setting moves in these bins while it is held."""
    moves = np.maximum(STEADY * np.median(rows.span, axis=0), finest)
    return [max(m, noise_of_steps(column)) for m, column in zip(moves.tolist(), rows.mean.T, strict=True)]


def _parts(rows: SettingBins, finest: Floats, least: int, most: int) -> list[_Part]:
    """Parts of at least ``least`` bins whose settings have one level each."""
    k = rows.mean.shape[1]
    todo = [_Part(rows, np.full(k, -np.inf), np.full(k, np.inf))]
    done: list[_Part] = []
    while todo:
        part = todo.pop(0)
        if len(part.rows.mean) < least:
            continue
        noise = _noise(part.rows, finest)
        levels = [levels_of(column, n, least) for column, n in zip(part.rows.mean.T, noise, strict=True)]
        clear = [_clearness(found, n) for found, n in zip(levels, noise, strict=True)]
        j = int(np.argmax(clear))
        if not clear[j] or len(done) + len(todo) + len(levels[j]) > most:
            done.append(part)
            continue
        todo += [_at_level(part, j, levels[j], n) for n in range(len(levels[j]))]
    return done


def _at_level(part: _Part, j: int, levels: Sequence[Level], n: int) -> _Part:
    low, high = levels[n]
    lower, upper = part.lower.copy(), part.upper.copy()
    if n:
        lower[j] = low - NEIGHBOURLY * (low - levels[n - 1][1])
    if n + 1 < len(levels):
        upper[j] = high + NEIGHBOURLY * (levels[n + 1][0] - high)
    column = part.rows.mean[:, j]
    return _Part(_rows(part.rows, (column >= low) & (column <= high)), lower, upper)


def _clearness(levels: Sequence[Level], noise: float) -> float:
    """The narrowest gap between neighbours, in widths of the wider one; 0: they part nothing."""
    if len(levels) > MOST_LEVELS:
        return 0.0
    floor = max(noise, 1e-300)
    gaps = [(y[0] - x[1]) / max(x[1] - x[0], y[1] - y[0], floor) for x, y in pairwise(levels)]
    return min(gaps, default=0.0)


def _box(part: _Part, finest: Floats, almost: Floats, least: int) -> tuple[FoundRegime, FoundRegime, int]:
    """What was seen of a regime, how far it reaches, and how many bins it has."""
    noise = np.array(_noise(part.rows, finest))
    levels = [levels_of(column, n, least) for column, n in zip(part.rows.mean.T, noise.tolist(), strict=True)]
    low, high = (np.array([found[end][end] for found in levels]) for end in (0, -1))
    own = _rows(part.rows, _inside(part.rows.mean, low, high))
    if not len(own.mean):
        return FoundRegime("", (), (), ()), FoundRegime("", (), (), ()), 0
    moves = np.maximum(np.maximum(STEADY * np.median(own.span, axis=0), almost), finest)
    members = int((own.span <= moves).all(axis=1).sum())
    margin = np.maximum(MARGIN * (high - low), noise / 2)
    limit = tuple(moves.tolist())
    seen = FoundRegime("", tuple(low.tolist()), tuple(high.tolist()), limit)
    reach = (np.maximum(low - margin, part.lower), np.minimum(high + margin, part.upper))
    return seen, FoundRegime("", tuple(reach[0].tolist()), tuple(reach[1].tolist()), limit), members


def _are(words: Sequence[str], word: str) -> Bools:
    return np.array([w == word for w in words], np.bool_)


def _inside(mean: Floats, low: Sequence[float] | Floats, high: Sequence[float] | Floats) -> Bools:
    within: Bools = np.all((mean >= np.asarray(low)) & (mean <= np.asarray(high)), axis=1)
    return within
