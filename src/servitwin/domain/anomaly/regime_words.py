"""Regimes that were found, in words: their names, why there are none, and what people should know of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from servitwin.domain.anomaly.bins import ALONE, SettingBins
from servitwin.domain.error import Fault
from servitwin.domain.observation import Floats

NARROW = 0.15  # share of a setting's whole range below which a name has one value and no range
TINY = 1e-290  # a range that has no digits to be rounded to
Range = tuple[str, Sequence[float], Sequence[float]]  # word of a text signal, lowest and highest of each setting


def names_of(settings: Sequence[str], ranges: Sequence[Range], whole: Floats, finest: Floats) -> list[str]:
    """A name for each regime, such as ``spindle_speed 1200, feed 0.1 to 0.3``.

    ``whole``: range of each setting over all bins; ``finest``: difference that means nothing. All digits are shown only
    where two names would be the same.
    """
    narrow = np.maximum(NARROW * whole, finest).tolist()
    names: list[str] = []
    for say in (_rounded, _exact):
        names = []
        for word, low, high in ranges:
            said = [
                f"{name} {say(a, b, span, near)}"
                for name, a, b, span, near in zip(settings, low, high, whole.tolist(), narrow, strict=True)
            ]
            names.append(", ".join(said if word == ALONE else [word, *said]))
        if len(set(names)) == len(names):
            break
    return names


def _exact(low: float, high: float, whole: float, narrow: float) -> str:
    return f"{low:.12g}" if low == high else f"{low:.12g} to {high:.12g}"


def _rounded(low: float, high: float, whole: float, narrow: float) -> str:
    if whole <= TINY:
        return f"{low:.6g}"
    width = high - low
    if width > narrow:
        step = 10.0 ** (math.floor(math.log10(width)) - 1)
        return f"{_to(low, step)} to {_to(high, step)}"
    step = 10.0 ** math.floor(math.log10(whole / 1000))
    return _to((low + high) / 2, max(10.0 ** math.ceil(math.log10(width)), step) if width > 0 else step)


def _to(value: float, step: float) -> str:
    return f"{round(value / step) * step + 0.0:.10g}"


def not_found(own: SettingBins, steady: int, least: int) -> list[Fault]:
    """Why no regime was found; ``steady``: bins in which all settings were known and held."""
    count = len(own.mean)
    hint = "Name number signals that report, or leave this one out of settings"
    faults = []
    for name, column in zip(own.names, own.mean.T, strict=True):
        known = int((~np.isnan(column)).sum())
        if known < count // 2:
            message = f"{name} is to say the regime, and is known in {known} of {count} bins"
            faults.append(Fault("anomaly:setting-unknown", message, hint, name))
    if not faults:
        message = f"No regime lasted {least} bins; in {steady} of {count} bins all settings were known and held"
        hint = "Choose a shorter every, or learn from a longer stretch"
        faults.append(Fault("anomaly:settings-not-held", message, hint, "settings"))
    return faults


def notes_of(
    settings: Sequence[str], ranges: Sequence[Range], whole: Floats, finest: Floats, outside: tuple[int, int, int]
) -> list[Fault]:
    """What people should know: settings that part no regimes, and bins outside of all of them.

    ``outside``: how many they are, of how many, and how many make a regime.
    """
    notes = []
    for j, name in enumerate(settings):
        if max(low[j] for _, low, _ in ranges) > min(high[j] for _, _, high in ranges):
            continue
        if whole[j] <= finest[j]:
            message = f"{name} stayed at one value, so it tells no regimes apart"
            hint = "Any other value will be a regime never seen, which is not judged"
            notes.append(Fault("anomaly:setting-constant", message, hint, name))
        else:
            message = f"{name} varies freely or in many small steps, so it tells no regimes apart"
            hint = "What depends on it counts as scatter of the signals"
            notes.append(Fault("anomaly:setting-varies-freely", message, hint, name))
    none, count, least = outside
    if none:
        message = f"{none} of {count} bins belong to no regime"
        hint = f"Settings were changed in them, not known, or lasted less than {least} bins; such bins are not judged"
        notes.append(Fault("anomaly:settings-rare", message, hint, "settings"))
    return notes
