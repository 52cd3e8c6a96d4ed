"""Whether a model may speak of a machine at all: the same type, settings and signals as those it was learnt from."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.error import Fault
from servitwin.domain.observation import Floats
from servitwin.domain.remaining_life.model import LifeModel

RECENT = 5
SETTINGS_SEEN = 20
BEYOND = 0.15  # of the range seen in a regime, by which a recent mean may pass it
STRANGE = 0.2  # share of recent rows outside all regimes from which on nothing is said


class Seen(msgspec.Struct, frozen=True):
    """A machine as it is: rows of settings (n, k) and signals (n, d) of its life so far, oldest first.

    ``machine_type``: name of its type; ``units``: UCUM unit of each signal, as far as known; ``missing``: signals that
    were not measured recently.
    """

    settings: Floats
    signals: Floats
    machine_type: str = ""
    units: dict[str, str] = {}
    missing: tuple[str, ...] = ()


def doubts(model: LifeModel, seen: Seen) -> list[Fault]:
    """Why the model cannot speak of this machine, all reasons at once; none: it can."""
    found = []
    if seen.machine_type and seen.machine_type != model.machine_type:
        message = f"The model was learnt from machines of type {model.machine_type}, this is a {seen.machine_type}"
        found.append(Fault("life:type-unknown", message, "Train a model for this type", "machine_type"))
    for name, unit in model.units.items():
        if seen.units.get(name, unit) != unit:
            message = f"{name!r} comes in {seen.units[name]}, the model was learnt in {unit}"
            found.append(Fault("life:unit-differs", message, "Map the signal to the unit of the model", name))
    found += [
        Fault("life:signal-missing", f"{n!r} was not measured recently", "Look at the sensor and the connection", n)
        for n in seen.missing
    ]
    if len(seen.signals) < model.fewest_rows:
        message = f"Only {len(seen.signals)} of at least {model.fewest_rows} {model.life_unit} of its life were seen"
        found.append(Fault("life:too-little-seen", message, "Wait until more of its life has been seen", "rows"))
    if found:
        return found
    return [*_settings(model, seen), *_signals(model, seen)]


def _settings(model: LifeModel, seen: Seen) -> list[Fault]:
    if not model.settings:
        return []
    _, apart = model.regimes.of(seen.settings[-SETTINGS_SEEN:])
    strange = float((apart > 2).mean())
    if strange <= STRANGE:
        return []
    message = f"In {100 * strange:.0f} % of the recent rows it runs as no machine did that the model was learnt from"
    return [Fault("life:regime-unknown", message, "Train with machines that run this way", ", ".join(model.settings))]


def _signals(model: LifeModel, seen: Seen) -> list[Fault]:
    regimes, used = model.regimes, np.array(model.regimes.used, np.int64)
    regime, _ = regimes.of(seen.settings[-RECENT:])
    normal = regimes.normal(seen.signals[-RECENT:], regime)
    low, high = (np.array(a)[:, used][regime].mean(0) for a in (regimes.low, regimes.high))
    middle = normal.mean(0)
    beyond = BEYOND * (high - low) + 1e-6
    outside = (middle < low - beyond) | (middle > high + beyond)
    found = []
    for k in np.flatnonzero(outside).tolist():
        name = model.signals[used[k]]
        message = (
            f"{name!r} is {middle[k]:+.1f} standard deviations from usual; the model has seen {low[k]:+.1f} to "
            f"{high[k]:+.1f} in this regime"
        )
        hint = "A sensor or its unit may have changed; or the machine does what none did before: look at it"
        found.append(Fault("life:signal-outside", message, hint, name))
    for k in range(len(used)):
        name = model.signals[used[k]]
        column, longest = seen.signals[:, used[k]], model.longest_still[used[k]]
        still = _still_at_end(column)
        if still > max(10, 2 * longest):
            message = f"{name!r} has not moved for {still} {model.life_unit}, elsewhere for {longest} at most"
            found.append(Fault("life:sensor-stuck", message, "Look at the sensor", name))
    return found


def _still_at_end(values: Floats) -> int:
    differs = np.flatnonzero(values != values[-1])
    return len(values) - (int(differs[-1]) + 1 if len(differs) else 0)
