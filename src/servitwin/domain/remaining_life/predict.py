"""What a model says of machines now: an interval with its reasons and what to do, or that it does not know and why."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.error import Fault
from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.known import Seen, doubts
from servitwin.domain.remaining_life.model import LifeModel
from servitwin.domain.remaining_life.reasons import Reason, reasons

AT_LEAST = 0.92  # of the cap: from there on a prediction says "at least"


class Prediction(msgspec.Struct, frozen=True):
    """Remaining life of a machine, or why nothing can be said.

    Attributes:
        known: whether the model may speak; if not, ``doubts`` say why and there are no numbers.
        expected, low, high: in ``unit``; the life is within [low, high] with the confidence stated.
        at_least: the machine shows no sign of its end: ``low`` or more is left, how much is not known.
        age: rows of life seen.
        what_to_do: one sentence.
        recent: mean of the last rows of each signal that is used, in standard deviations from usual.
    """

    known: bool
    unit: str
    confidence: float
    age: int
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    at_least: bool = False
    reasons: list[Reason] = []
    doubts: list[Fault] = []
    what_to_do: str = ""
    recent: list[float] = []


def predict(model: LifeModel, seen: Seen, *, why: bool = True) -> Prediction:
    """The remaining life of one machine; ``why`` False leaves the reasons out."""
    return predict_many(model, [seen], why=why)[0]


def predict_many(model: LifeModel, machines: list[Seen], *, why: bool = False) -> list[Prediction]:
    """The remaining lives of a fleet at once."""
    unsure = [doubts(model, m) for m in machines]
    sure = [m for m, d in zip(machines, unsure, strict=True) if not d]
    rows = _features(model, sure) if sure else np.zeros((0, len(model.usual)))
    expected = model.predict(rows)
    low, high = model.calibration.interval(expected, model.confidence, model.cap)
    found, k = [], 0
    for machine, doubt in zip(machines, unsure, strict=True):
        age = len(machine.signals)
        if doubt:
            said = f"Nothing is said of its remaining life: {doubt[0].hint[:1].lower()}{doubt[0].hint[1:]}."
            found.append(Prediction(False, model.life_unit, model.confidence, age, doubts=doubt, what_to_do=said))
            continue
        e, lo, hi = float(expected[k]), float(low[k]), float(high[k])
        told = reasons(model, rows[k]) if why else []
        sound = e >= AT_LEAST * model.cap
        found.append(
            Prediction(
                True, model.life_unit, model.confidence, age, e, lo, hi, sound, told,
                what_to_do=_advice(model, lo, hi, sound), recent=rows[k][: len(model.regimes.used)].tolist(),
            )
        )  # fmt: skip
        k += 1
    return found


def _features(model: LifeModel, machines: list[Seen]) -> Floats:
    """Features of the last row of each machine."""
    length = np.array([len(m.signals) for m in machines], np.int64)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(length)[:-1]])
    settings = np.concatenate([m.settings for m in machines])
    signals = np.concatenate([m.signals for m in machines])
    return model.features_of(settings, signals, start, only=start + length - 1)


def _advice(model: LifeModel, low: float, high: float, sound: bool) -> str:
    share = model.calibration.last_longer(high, model.confidence, model.cap)
    of = f"{round(share * 100)} of 100 last longer"
    if sound:
        return f"Nothing to do: at least {low:.0f} {model.life_unit} are left ({of})."
    if low < 1:
        return f"Act now: its end may come at any time, and comes within {high:.0f} {model.life_unit}."
    return f"Plan the work within {low:.0f} {model.life_unit}: {of}."
