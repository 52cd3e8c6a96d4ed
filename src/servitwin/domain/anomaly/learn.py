"""Learning what is normal for a machine from its first stretch, without labels."""

from __future__ import annotations

import math

import numpy as np

from servitwin.domain.anomaly.bins import BETWEEN, Bins, unchanged
from servitwin.domain.anomaly.found_regimes import find_regimes
from servitwin.domain.anomaly.model import (
    AnomalyModel,
    AnomalySettings,
    RegimeModel,
    limit_of_one,
    limit_of_square,
)
from servitwin.domain.anomaly.tail import limit_of_tail
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Bools, Floats, Int64s

UNSEEN = 0.5  # drift over the whole stretch, in variances of the noise, that cannot be told from none
START = 5  # bins that make the first level
MOST_LAGS = 20
LEAST_PAIRS = 10
STILL_AT_LEAST = 10
STILL_FACTOR = 3


def learn(signals: tuple[str, ...], bins: Bins, settings: AnomalySettings, still: Bools | None = None) -> AnomalyModel:
    """The machine as it was in these bins, regime by regime.

    A signal without any change in a regime is left out there: nothing can be said about how far it may go. So is one
    that was known in less than half of the regime's bins. Where the bins have settings, regimes are found in them.
    ``still``: what :func:`unchanged` says of the bins, where it is known already.

    Raises:
        InvalidInputError: ``anomaly:setting-out-of-range``, ``anomaly:no-signals``, or why no regime at all could be
            learnt: ``anomaly:stretch-too-short``, ``anomaly:signal-constant``, ``anomaly:signal-unknown``,
            ``anomaly:setting-unknown``, ``anomaly:settings-not-held``.
    """
    faults = settings.faults()
    if not signals:
        faults.append(Fault("anomaly:no-signals", "No signal is named", "Name at least one numeric signal"))
    if faults:
        raise InvalidInputError(faults)
    if still is None:
        none = np.full(len(signals), np.nan)
        still = unchanged(bins, none, none) if len(bins) else np.zeros(bins.mean.shape, np.bool_)
    regimes: dict[str, RegimeModel] = {}
    named, found, notes = bins.regime, None, list[Fault]()
    left_out: list[Fault] = []
    if bins.settings is not None:
        found, left_out, notes = find_regimes(bins, settings.least)
        named = [BETWEEN] * len(bins) if left_out else found.named(bins)[0]
    names = np.array(named, dtype=object)
    for regime in sorted(set(named) - {BETWEEN}):
        at = np.flatnonzero(names == regime)
        if len(at) < settings.least:
            message = f"Regime {regime!r} lasted {len(at)} bins, {settings.least} are needed"
            hint = f"Learn from at least {settings.least} bins of {settings.every / 1e9:g} s in this regime"
            left_out.append(Fault("anomaly:stretch-too-short", message, hint, regime))
            continue
        model = _regime(regime, signals, bins, still, at, settings, left_out)
        if model is not None:
            regimes[regime] = model
    if not regimes:
        if not left_out:
            hint = f"At least {settings.least} bins of {settings.every / 1e9:g} s"
            left_out.append(Fault("anomaly:stretch-too-short", "The stretch to learn from is empty", hint))
        raise InvalidInputError(left_out)
    return AnomalyModel(signals, settings, regimes, tuple(left_out), found, tuple(notes))


def _regime(
    regime: str,
    signals: tuple[str, ...],
    bins: Bins,
    still: Bools,
    at: np.ndarray[tuple[int], np.dtype[np.intp]],
    settings: AnomalySettings,
    left_out: list[Fault],
) -> RegimeModel | None:
    used: list[int] = []
    for i, name in enumerate(signals):
        own = bins.mean[at, i]
        known = own[~np.isnan(own)]
        if len(known) < max(settings.least // 2, len(at) // 2):
            message = f"{name} is known in {len(known)} of {len(at)} bins of regime {regime!r}"
            left_out.append(Fault("anomaly:signal-unknown", message, "Learn from a stretch in which it reports", name))
        elif float(np.ptp(known)) <= 1e-12 * float(np.abs(known).max()):
            message = f"{name} did not change in regime {regime!r}"
            hint = "Leave it out, or learn from a stretch in which it changes"
            left_out.append(Fault("anomaly:signal-constant", message, hint, name))
        else:
            used.append(i)
    if not used:
        return None
    number = bins.number[at]
    mean = bins.mean[at][:, used]
    unit = np.nanmax(np.abs(mean), axis=0)
    mean = mean / unit
    noise, drift, slow = _variances(_on_grid(number, mean), len(at))
    level, doubt, errors = _follow(number, mean, noise, drift)
    spread = np.sqrt(np.maximum(_mean_square(errors), 1.0))
    covariance = _covariance(errors / spread, settings.shrink)
    return RegimeModel(
        used=tuple(used),
        bins=len(at),
        unit=tuple(unit.tolist()),
        noise=tuple(noise.tolist()),
        drift=tuple(drift.tolist()),
        slow_drift=tuple(slow.tolist()),
        spread=tuple(spread.tolist()),
        holds=tuple((drift < noise).tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        still=tuple(_longest_still(still[at][:, used])),
        level=tuple(level.tolist()),
        doubt=tuple(doubt.tolist()),
        last=int(number[-1]),
        raised=max(1.0, limit_of_tail(_scores(errors / spread, covariance, settings), settings.false_rate)),
    )


def _scores(errors: Floats, covariance: Floats, settings: AnomalySettings) -> Floats:
    """The scores of the stretch itself, as they would be told of it; an error that is not known counts as none."""
    filled = np.where(np.isnan(errors), 0.0, errors)
    inverse = np.linalg.inv(covariance)
    smoothed, deviation = np.empty_like(filled), np.zeros(filled.shape[1])
    for k, error in enumerate(filled):
        deviation = deviation + settings.smoothing * (error - deviation)
        smoothed[k] = deviation
    smoothed /= math.sqrt(settings.smoothing / (2 - settings.smoothing))
    signals = filled.shape[1]
    together = np.einsum("ki,ij,kj->k", smoothed, inverse, smoothed) / limit_of_square(signals, settings.chance)
    scores: Floats = np.maximum(together, (smoothed**2).max(axis=1) / limit_of_one(signals, settings.chance))
    return scores


def _on_grid(number: Int64s, mean: Floats) -> Floats:
    """Bins on an even grid, NaN where there is none; a gap counts as no longer than the stretch has bins."""
    place = np.concatenate([[0], np.cumsum(np.minimum(np.diff(number), len(number)))])
    if int(place[-1]) >= 4 * len(number):  # visited rarely: neighbours in the regime are a bin apart
        return mean
    grid = np.full((int(place[-1]) + 1, mean.shape[1]), np.nan)
    grid[place] = mean
    return grid


def _variances(grid: Floats, bins: int) -> tuple[Floats, Floats, Floats]:
    """Noise, drift and slow drift of each signal from how its differences grow with their lag j: 2 noise + drift j."""
    most = max(bins // 4, 2)
    lags = np.arange(1, most + 1)
    if most > MOST_LAGS:
        lags = np.unique(np.round(np.geomspace(1, most, MOST_LAGS)).astype(int))
    grown = np.array([_difference(grid, int(j)) for j in lags])
    short = grown[0]
    total, through = np.empty(grid.shape[1]), np.empty(grid.shape[1])
    for i in range(grid.shape[1]):
        ok = ~np.isnan(grown[:, i])
        if ok.sum() < 2:
            own = grid[:, i]
            total[i], through[i] = 2 * float(np.nanvar(own)), 0.0
            continue
        weight = lags[ok] ** -0.5
        table = np.column_stack([np.ones(int(ok.sum())), lags[ok]]) * weight[:, None]
        total[i], through[i] = np.linalg.lstsq(table, grown[ok, i] * weight, rcond=None)[0]
    variance = np.nanvar(grid, axis=0)
    short = np.where(np.isnan(short) | (short <= 0), variance, short)
    noise = np.maximum(total / 2, 0.025 * short)
    least = 0.1 * noise / bins
    unseen = UNSEEN * noise / bins
    drift = np.clip(through, unseen, np.maximum(short, unseen))
    eighth, quarter, half = (max(bins // n, 1) for n in (8, 4, 2))
    a, b, c = (_difference(grid, j) for j in (eighth, quarter, half))
    late = np.fmax((c - a) / max(half - eighth, 1), (b - a) / max(quarter - eighth, 1))
    slow = np.clip(np.where(np.isnan(late), drift, late), least, drift)
    return noise, drift, slow


def _difference(grid: Floats, lag: int) -> Floats:
    """Mean square of differences over so many bins; NaN with fewer than ten pairs."""
    square = (grid[lag:] - grid[:-lag]) ** 2
    known = ~np.isnan(square)
    count = known.sum(axis=0)
    mean: Floats = np.where(known, square, 0.0).sum(axis=0) / np.maximum(count, 1)
    return np.where(count >= LEAST_PAIRS, mean, np.nan)


def _follow(number: Int64s, mean: Floats, noise: Floats, drift: Floats) -> tuple[Floats, Floats, Floats]:
    """The filter over the stretch itself: level and doubt at its end, and the standardised prediction errors."""
    level = np.array([float(column[~np.isnan(column)][:START].mean()) for column in mean.T])
    doubt = noise / START
    errors = np.full(mean.shape, np.nan)
    for k in range(START, len(number)):
        x = mean[k]
        known = ~np.isnan(x)
        doubt = doubt + drift * min(int(number[k] - number[k - 1]), len(number))
        total = doubt + noise
        error = np.where(known, x - level, 0.0)
        errors[k] = np.where(known, error / np.sqrt(total), np.nan)
        gain = known * (doubt / total)
        level = level + gain * error
        doubt = (1 - gain) * doubt
    return level, doubt, errors[START:]


def _mean_square(errors: Floats) -> Floats:
    known = ~np.isnan(errors)
    mean: Floats = np.where(known, errors * errors, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean


def _covariance(errors: Floats, shrink: float) -> Floats:
    """Covariance of the errors (unknown ones count as none), shrunk towards the identity so that it can be inverted."""
    filled = np.where(np.isnan(errors), 0.0, errors)
    d = errors.shape[1]
    found: Floats = (1 - shrink) * (filled.T @ filled) / len(errors) + shrink * np.eye(d)
    return found


def _longest_still(still: Bools) -> list[int]:
    """Bins without change from which each signal counts as stuck: well beyond the longest run that was seen."""
    limits = []
    for column in still.T:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], column.astype(np.int8), [0]])))
        longest = int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
        limits.append(max(STILL_AT_LEAST, STILL_FACTOR * longest))
    return limits
