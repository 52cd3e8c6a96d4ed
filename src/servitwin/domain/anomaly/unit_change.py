"""Whether a signal that is far off only changed its unit: a hypothesis, named and never acted upon."""

from __future__ import annotations

from servitwin.domain.anomaly.stretch import Stretch
from servitwin.domain.error import InvalidInputError
from servitwin.domain.unit import convert

# Units that devices are switched between; only those that measure the same as the signal's own are tried.
SWITCHED = (
    "Cel", "[degF]", "K", "mm", "m", "[in_i]", "[ft_i]", "um", "Pa", "kPa", "MPa", "bar", "mbar", "[psi]", "l/min",
    "l/h", "m3/h", "l/s", "N", "kN", "[lbf_av]", "kg", "g", "[lb_av]", "W", "kW", "A", "mA", "V", "mV", "Hz", "/min",
    "s", "ms", "min", "h", "m/s", "mm/s", "mm/min", "m/min", "m/s2", "[g]", "%", "1",
)  # fmt: skip
NEAR = 0.03


def likely_units(stretch: Stretch, units: dict[str, str]) -> tuple[str, ...]:
    """Units in which the reading would be the usual one, if one signal alone is off; nearest first.

    ``units``: UCUM code of each signal. A reading counts as the usual one within 3 %, and only where the change of
    unit moves it by more than 10 %.
    """
    if stretch.kind != "deviates" or not stretch.signals or stretch.signals[0].share < 0.9:
        return ()
    part = stretch.signals[0]
    own = units.get(part.signal)
    if own is None or part.value is None or part.usual is None:
        return ()
    found = []
    for other in SWITCHED:
        try:
            said = convert(part.usual, own, other)
        except InvalidInputError:
            continue
        size = max(abs(said), abs(part.usual))
        if abs(said - part.usual) > 0.1 * size and abs(part.value - said) <= NEAR * abs(said):
            found.append((abs(part.value - said), other))
    return tuple(other for _, other in sorted(found))
