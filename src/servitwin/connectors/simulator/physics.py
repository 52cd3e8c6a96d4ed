"""Small laws of physics and chance that all simulated machines share. Units are SI or as each name says."""

from __future__ import annotations

import math
from random import Random


def relax(value: float, target: float, dt: float, tau: float) -> float:
    """First-order approach to ``target`` with time constant ``tau`` (s): exact for any step ``dt`` (s)."""
    return target + (value - target) * math.exp(-dt / tau)


def happens(rng: Random, per_hour: float, dt: float) -> bool:
    """Whether an event of a Poisson process of that rate (1/h) falls into ``dt`` seconds."""
    return rng.random() < 1.0 - math.exp(-per_hour * dt / 3600.0)


def measured(value: float, accuracy: float, rng: Random, digits: int = 2) -> float:
    """What a sensor of that accuracy shows: bell-shaped noise (sum of three uniforms) that never leaves it."""
    chance = rng.random
    return round(value + accuracy * (chance() + chance() + chance() - 1.5) / 1.5, digits)


def between(value: float, low: float, high: float) -> float:
    """``value`` held inside [low, high]."""
    return max(low, min(high, value))


def ambient(local_hour: float) -> float:
    """Temperature of the hall (Cel) over the day: coldest at four in the morning, warmest at four in the afternoon."""
    return 20.0 - 2.0 * math.cos((local_hour - 4.0) / 24.0 * 2.0 * math.pi)
