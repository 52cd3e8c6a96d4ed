"""Learn a model: regimes, features, an ensemble over groups of machines, intervals from machines not seen."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.domain.remaining_life.acting import Acting, acting
from servitwin.domain.remaining_life.features import features
from servitwin.domain.remaining_life.intervals import calibrate
from servitwin.domain.remaining_life.lives import Life, Lives, is_kept_out, longest_still
from servitwin.domain.remaining_life.measure import Quality, quality, rmse
from servitwin.domain.remaining_life.model import LifeModel, Member, TrainedOn
from servitwin.domain.remaining_life.moments import Stacked, moments, stack
from servitwin.domain.remaining_life.regimes import find_regimes
from servitwin.services.maintenance.remaining_life_training.grow import grow

FEWEST_SEEN = 10
FEWEST_KEPT_OUT = 4
FEWEST_OWN = 5  # failures from which a party's own machines can be learnt from


def learn(lives: Lives, seed: int, incumbent: LifeModel | None = None) -> LifeModel:
    """The model of a checked set; ``incumbent`` is judged on the same machines."""
    about = lives.about
    out = [life for life in lives.lives if about.keep_out and life.failed and is_kept_out(life.id)]
    if len(out) < FEWEST_KEPT_OUT:
        out = []  # too few to judge by: judged across the groups instead
    names = {life.id for life in out}
    used = [life for life in lives.lives if life.id not in names]
    rows = stack(used)
    random = np.random.default_rng(seed)
    regimes = find_regimes(rows.settings, rows.signals)
    regime, _ = regimes.of(rows.settings)
    normal = regimes.normal(rows.signals, regime)
    seen = features(normal, rows.start)
    target = np.minimum(rows.remaining, about.cap)
    known = rows.failed[rows.life] | (rows.remaining >= about.cap)  # a machine that still runs tells that much
    at = moments(rows, FEWEST_SEEN, random)
    group = groups(rows, about.folds, random)
    members: list[Member] = []
    ended = np.flatnonzero(rows.failed[rows.life])
    told = np.full(len(rows.life), np.nan)
    for k in range(about.folds):
        learnt = known & (group[rows.life] != k)
        grown = grow(seen[learnt], target[learnt], seed * 1000 + k)
        members += grown
        mine = ended[group[rows.life[ended]] == k]
        told[mine] = weighted_mean(grown, seen[mine], about.cap)
    calibration = calibrate(told[at], target[at])
    across = _across(told, target, rows.life, group, at, (about.cap, about.confidence))
    mean, shares = _usual(seen, target, known, about.cap), _shares(seen[at], len(regimes.used))
    model = LifeModel(
        about.machine_type, about.component, about.life_unit, about.settings, about.signals, about.units, about.cap,
        about.confidence, regimes, members, calibration, mean, _direction(normal, rows, target, about.cap), shares,
        [max(longest_still(life.signals[:, j]) for life in used) for j in range(len(about.signals))], FEWEST_SEEN,
        _trained_on(lives, used, names), across, across,
        fleet=_fleet(seen, target, known, rows, used, told, at, about.cap, seed),
        lives=[float(life.length) for life in lives.failed], acting=_acting(lives, rows, group, told, at, random),
    )  # fmt: skip
    judged = stack(out) if out else rows
    where = moments(judged, FEWEST_SEEN, np.random.default_rng(seed + 1)) if out else at
    return _with_quality(model, judged, where, out=bool(out), incumbent=incumbent, learnt_from=used)


def _fleet(
    seen: Floats, target: Floats, known: Bools, rows: Stacked, used: list[Life], told: Floats, at: Int64s, cap: float,
    seed: int,
) -> dict[str, tuple[float, float]]:  # fmt: skip
    """What the fleet taught each party that has failures enough to learn alone, on its own machines not learnt from.

    Both errors are those of models that had not seen the machine judged; the party's own halves its machines.
    """
    owner = np.array([life.owner for life in used])
    found: dict[str, tuple[float, float]] = {}
    for party in sorted(set(owner.tolist())):
        own = np.flatnonzero((owner == party) & rows.failed)
        if not party or len(own) == len(np.flatnonzero(rows.failed)) or len(own) < 2 * FEWEST_OWN:
            continue
        alone, mine = np.full(len(rows.life), np.nan), at[np.isin(rows.life[at], own)]
        for half in (0, 1):
            learnt = known & np.isin(rows.life, own[half::2])
            judged = mine[np.isin(rows.life[mine], own[1 - half :: 2])]
            alone[judged] = weighted_mean(grow(seen[learnt], target[learnt], seed), seen[judged], cap)
        found[party] = (rmse(told[mine], target[mine]), rmse(alone[mine], target[mine]))
    return found


def _acting(
    lives: Lives, rows: Stacked, group: Int64s, told: Floats, at: Int64s, random: np.random.Generator
) -> Acting | None:
    """What acting on the intervals costs, each life's from residuals of the other groups."""
    about, low = lives.about, np.full(len(told), np.nan)
    if about.preventive_cost is None or about.failure_cost is None:
        return None
    for k in range(about.folds):
        others = at[group[rows.life[at]] != k]
        mine = np.flatnonzero((group[rows.life] == k) & ~np.isnan(told))
        if len(mine):
            known = calibrate(told[others], np.minimum(rows.remaining[others], about.cap))
            low[mine] = known.interval(told[mine], about.confidence, about.cap)[0]
    parts = [low[rows.life == k] for k in range(len(rows.start))]
    return acting(parts, rows.failed, about.preventive_cost, about.failure_cost, random, about.currency)


def judge(model: LifeModel, rows: Stacked, at: Int64s) -> Quality:
    """The quality of a model on machines it has not seen, at moments of their lives."""
    seen = model.features_of(rows.settings, rows.signals, rows.start)[at]
    predicted = model.predict(seen)
    low, high = model.calibration.interval(predicted, model.confidence, model.cap)
    return quality(len(np.unique(rows.life[at])), predicted, low, high, np.minimum(rows.remaining[at], model.cap))


def _with_quality(
    model: LifeModel, rows: Stacked, at: Int64s, *, out: bool, incumbent: LifeModel | None, learnt_from: list[Life]
) -> LifeModel:
    mine = judge(model, rows, at) if out else model.quality
    theirs = None
    if incumbent is not None and (incumbent.signals, incumbent.settings) == (model.signals, model.settings):
        theirs = judge(incumbent, rows, at)
    simple = _by_age(model, rows, at, learnt_from)
    return msgspec.structs.replace(model, quality=mine, simple=simple, incumbent=theirs)


def _by_age(model: LifeModel, rows: Stacked, at: Int64s, learnt_from: list[Life]) -> Quality:
    """What the age alone tells: mean and quantiles of the remaining lives of those that reached the same age."""
    ages = at - rows.start[rows.life[at]] + 1.0
    lengths = np.array([life.length for life in learnt_from if life.failed], np.float64)
    tail = (1 - model.confidence) / 2
    told = []
    for age in ages:
        left = np.minimum(np.maximum(lengths[lengths > age] - age, 0), model.cap)
        left = left if len(left) >= 5 else np.array([0.0])
        told.append((left.mean(), np.quantile(left, tail), np.quantile(left, 1 - tail)))
    mean, low, high = np.array(told).T
    true = np.minimum(rows.remaining[at], model.cap)
    return quality(len(np.unique(rows.life[at])), mean, low, high, true)


def groups(rows: Stacked, folds: int, random: np.random.Generator) -> Int64s:
    """A group for each life, drawn after the moments; lives that ended are spread evenly."""
    group = np.zeros(len(rows.start), np.int64)
    for part in (np.flatnonzero(rows.failed), np.flatnonzero(~rows.failed)):
        group[random.permutation(part)] = np.arange(len(part)) % folds
    return group


def weighted_mean(members: list[Member], rows: Floats, cap: float) -> Floats:
    """What members say together of rows of features, each within 0 and the cap."""
    whole = sum(m.weight for m in members)
    total = np.zeros(len(rows))
    for member in members:
        total += member.weight / whole * np.clip(member.predict(rows), 0, cap)
    return total


def _across(
    told: Floats, target: Floats, life: Int64s, group: Int64s, at: Int64s,
    cap_and_confidence: tuple[float, float],
) -> Quality:  # fmt: skip
    """Quality at these moments: each group's intervals come from the other groups' residuals."""
    cap, confidence = cap_and_confidence
    of = group[life]
    low, high = np.zeros(len(at)), np.zeros(len(at))
    for k in np.unique(of[at]):
        mine, others = of[at] == k, at[of[at] != k]
        found = calibrate(told[others], target[others]).interval(told[at[mine]], confidence, cap)
        low[mine], high[mine] = found
    return quality(len(np.unique(life[at])), told[at], low, high, target[at])


def _usual(seen: Floats, target: Floats, known: Bools, cap: float) -> list[float]:
    whole = known & (target >= cap) if (known & (target >= cap)).any() else known
    return [float(v) for v in seen[whole].mean(0)]


def _shares(seen: Floats, signals: int) -> list[list[float]]:
    tenths = np.quantile(seen[:, :signals], np.linspace(0.1, 0.9, 9), axis=0).T
    return [[float(v) for v in row] for row in tenths]


def _direction(normal: Floats, rows: Stacked, target: Floats, cap: float) -> list[int]:
    """Sign of each signal's way to the end of life, where it is clear."""
    near = rows.failed[rows.life] & (target < 0.15 * cap)
    far = target >= cap if (target >= cap).any() else target > np.median(target)
    way = normal[near].mean(0) - normal[far].mean(0)
    return [0 if abs(v) < 0.3 else int(np.sign(v)) for v in way]


def _trained_on(lives: Lives, used: list[Life], kept_out: set[str]) -> TrainedOn:
    owners: dict[str, int] = {}
    for life in used:
        owners[life.owner] = owners.get(life.owner, 0) + 1
    return TrainedOn(
        lives.digest, len(used), sum(life.failed for life in used), owners, sorted(kept_out), lives.left_out
    )
