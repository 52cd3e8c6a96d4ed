"""Whether machines are still those that a model was learnt from, and whether its intervals still hold."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.model import LifeModel

CHANGED = 0.25  # population stability index from which a population is called another one
FEWEST = 30  # machines below which the index says nothing
POWERS = np.linspace(0.05, 0.95, 19)
ALARM = 100.0  # a fair game multiplies its stake by so much with a chance of one in a hundred at most (Ville)


class Drift(msgspec.Struct, frozen=True):
    """How far a fleet has moved from the one learnt from.

    Attributes:
        index: largest population stability index of a signal, None for too few machines; signal: which one.
        evidence: by how much the ended lives speak against the intervals (a martingale; 1: not at all).
        lives: ended lives in it.
        retrain: whether to train again; text: why, or why not.
    """

    index: float | None
    signal: str
    evidence: float
    lives: int
    retrain: bool
    text: str


def drift(model: LifeModel, recent: Floats, chances: list[float]) -> Drift:
    """Drift of the recent means (machines, used signals, in standard deviations) and of the lives that ended.

    ``chances``: conformal p-values of those lives in the order in which they ended; as long as nothing has changed they
    are uniform.
    """
    index, name = None, ""
    if len(recent) >= FEWEST:
        each = [stability(np.array(edges), column) for edges, column in zip(model.shares, recent.T, strict=True)]
        worst = int(np.argmax(each))
        index, name = each[worst], model.signals[model.regimes.used[worst]]
    evidence = martingale(chances)
    if evidence >= ALARM:
        text = (
            f"{len(chances)} lives ended otherwise than the intervals said (evidence {evidence:.0f} to 1): train again"
        )
        return Drift(index, name, evidence, len(chances), True, text)
    if index is not None and index > CHANGED:
        text = f"{name} is distributed otherwise than in training (stability index {index:.2f}): train again"
        return Drift(index, name, evidence, len(chances), True, text)
    text = (
        "The machines are those that the model was learnt from"
        if index is not None
        else (f"{len(recent)} machines are too few to tell whether they have changed; {FEWEST} are needed")
    )
    return Drift(index, name, evidence, len(chances), False, text)


def stability(edges: Floats, values: Floats) -> float:
    """Population stability index of values against ten equally likely classes with these inner edges (9,).

    Sum of (share - expected) * ln(share / expected) (Siddiqi, Credit Risk Scorecards, 2006; below 0.1 nothing, above
    0.25 another population). An empty class counts as half a value.
    """
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    share = np.maximum(counts, 0.5) / len(values)
    expected = 1 / (len(edges) + 1)
    return float(((share - expected) * np.log(share / expected)).sum())


def martingale(chances: list[float]) -> float:
    """Largest value that the mixture of power martingales reached on p-values (Vovk, Nouretdinov, Gammerman 2003).

    Each step multiplies by eps * p**(eps - 1), averaged over eps; under exchangeability its mean stays one.
    """
    logs = np.zeros(len(POWERS))
    most = 1.0
    for p in chances:
        logs += np.log(POWERS) + (POWERS - 1) * math.log(max(p, 1e-6))
        most = max(most, float(np.exp(np.minimum(logs, 600)).mean()))
    return most
