"""Whether machines are still those that a model was learnt from, and whether its intervals still hold."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from servitwin.domain.observation import Floats

CHANGED = 0.25  # population stability index from which a population is called another one
FEWEST = 30  # machines below which the index says nothing
POWERS = np.linspace(0.05, 0.95, 19)
ALARM = 100.0  # a fair game multiplies its stake by so much with a chance of one in a hundred at most (Ville)


class Drift(msgspec.Struct, frozen=True):
    """How far a fleet has moved from the one learnt from.

    Attributes:
        index: largest population stability index of a signal beyond that of chance, None for too few machines;
            signal: which one.
        evidence: by how much what ended speaks against the model (a martingale; 1: not at all).
        lives: ended lives, or failures, in it.
        retrain: whether to train again; text: why, or why not.
    """

    index: float | None
    signal: str
    evidence: float
    lives: int
    retrain: bool
    text: str


def drift(
    shares: list[list[float]], signals: list[str], recent: Floats, chances: list[float],
    otherwise: str = "lives ended otherwise than the intervals said",
) -> Drift:  # fmt: skip
    """Drift of the recent means (machines, signals) from their ``shares`` in training, and of what ended since.

    ``chances``: conformal p-values of what ended, in the order in which it did; as long as nothing has changed they
    are uniform. ``otherwise``: what it means if they are not.
    """
    index, name = None, ""
    if len(recent) >= FEWEST and signals:
        scatter = len(shares[0]) / len(recent)  # what the index is on average while nothing has changed
        each = [stability(np.array(e), column) - scatter for e, column in zip(shares, recent.T, strict=True)]
        worst = int(np.argmax(each))
        index, name = max(each[worst], 0.0), signals[worst]
    evidence = martingale(chances)
    if evidence >= ALARM:
        text = f"{len(chances)} {otherwise} (evidence {evidence:.0f} to 1): train again"
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
