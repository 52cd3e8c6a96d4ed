"""Why a machine is given so much life: what each signal takes or gives, in words and numbers."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.features import kinds
from servitwin.domain.remaining_life.model import LifeModel

TOLD = 5


class Reason(msgspec.Struct, frozen=True):
    """What one signal does to a prediction.

    Attributes:
        signal: its name, ``age`` for the age itself.
        effect: units of life that it adds (takes, if negative) against a machine whose life is all before it.
        deviation: mean of the last five rows against that of machines with their life before them in the same regime,
            in standard deviations; None for age.
        trend: by how much that rose over the last thirty rows, in standard deviations.
        text: the same as a sentence.
    """

    signal: str
    effect: float
    deviation: float | None
    trend: float | None
    text: str


def reasons(model: LifeModel, features: Floats) -> list[Reason]:
    """The signals that move the prediction most, for the features (columns,) of one machine now.

    The effect of a signal is the mean of what its removal from this machine and its addition to a usual machine do to
    the prediction: the first and the last term of its Shapley value (Shapley 1953), scaled so that all effects
    together make up the difference to the usual machine.
    """
    usual = np.array(model.usual)
    names = [*(model.signals[k] for k in model.regimes.used), "age"]
    d = len(names) - 1
    groups = [np.arange(len(kinds())) * d + k for k in range(d)] + [np.array([len(features) - 1])]
    rows = [features, usual]
    for columns in groups:
        without, added = features.copy(), usual.copy()
        without[columns], added[columns] = usual[columns], features[columns]
        rows += [without, added]
    said = model.predict(np.array(rows))
    effect = 0.5 * ((said[0] - said[2::2]) + (said[3::2] - said[1]))
    whole, total = float(said[0] - said[1]), float(effect.sum())
    if abs(total) > 1e-9 and 0 < whole / total < 3:
        effect = effect * (whole / total)
    order = np.argsort(-np.abs(effect), kind="stable")
    found = []
    for k in order[:TOLD]:
        if abs(effect[k]) >= max(0.5, 0.02 * model.cap):
            found.append(_reason(model, names[k], float(effect[k]), None if k == d else int(k), features))
    return found


def _reason(model: LifeModel, name: str, effect: float, column: int | None, features: Floats) -> Reason:
    does = f"takes about {-effect:.0f}" if effect < 0 else f"adds about {effect:.0f}"
    if column is None:
        age = int(features[-1])
        text = f"Its age of {age} {model.life_unit} {does} {model.life_unit}."
        return Reason(name, effect, None, None, text)
    d = len(model.regimes.used)
    deviation = float(features[column]) - model.usual[column]
    trend = float(features[kinds().index("trend 30") * d + column])
    side = "above" if deviation > 0 else "below"
    where = "as on a new one" if abs(deviation) < 0.3 else f"{abs(deviation):.1f} standard deviations {side} a new one"
    way = "" if abs(trend) < 0.3 else (" and rising" if trend > 0 else " and falling")
    text = f"{name} is {where} run the same way{way}: it {does} {model.life_unit}."
    return Reason(name, effect, deviation, trend, text)
