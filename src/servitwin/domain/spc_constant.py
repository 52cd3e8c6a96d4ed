"""Constants of control charts, computed from the normal distribution instead of read from a table.

d2 and d3 are mean and standard deviation of the range of n standard normal values (Tippett 1925), c4 the mean of
their standard deviation; A2, A3, D3, D4, B3, B4 follow (NIST/SEMATECH e-Handbook 6.3.2; ISO 7870-2).
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError

SMALLEST_GROUP, LARGEST_GROUP = 2, 100
_REACH, _NODES = 9.0, 400  # beyond nine sigma nothing is left; Gauss-Legendre of 400 nodes is exact to 1e-12 here


class GroupConstants(msgspec.Struct, frozen=True):
    """Constants for subgroups of ``n`` values: see the names of the standard (a2 is A2, and so on)."""

    n: int
    d2: float
    d3: float
    c4: float

    @property
    def a2(self) -> float:
        """Limits of means from the mean range."""
        return 3 / (self.d2 * math.sqrt(self.n))

    @property
    def a3(self) -> float:
        """Limits of means from the mean standard deviation."""
        return 3 / (self.c4 * math.sqrt(self.n))

    @property
    def lower_range(self) -> float:
        """D3."""
        return max(0.0, 1 - 3 * self.d3 / self.d2)

    @property
    def upper_range(self) -> float:
        """D4."""
        return 1 + 3 * self.d3 / self.d2

    @property
    def lower_deviation(self) -> float:
        """B3."""
        return max(0.0, 1 - 3 / self.c4 * math.sqrt(1 - self.c4**2))

    @property
    def upper_deviation(self) -> float:
        """B4."""
        return 1 + 3 / self.c4 * math.sqrt(1 - self.c4**2)


@lru_cache(maxsize=LARGEST_GROUP)
def group_constants(n: int) -> GroupConstants:
    """Constants of subgroups of ``n`` values.

    Raises:
        InvalidInputError: ``spc:group-size`` outside 2 to 100.
    """
    if not SMALLEST_GROUP <= n <= LARGEST_GROUP:
        message = f"Subgroups of {n} values"
        hint = f"From {SMALLEST_GROUP} to {LARGEST_GROUP}; single values have a chart of their own (individuals)"
        raise InvalidInputError(Fault("spc:group-size", message, hint, "size"))
    c4 = math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))
    mean, square = _range_moments(n)
    return GroupConstants(n, mean, math.sqrt(square - mean**2), c4)


def _range_moments(n: int) -> tuple[float, float]:
    """First and second moment of the range W of n standard normal values.

    E[W] is the integral of 1 - (1-F)^n - F^n; E[W^2] is twice the integral over x < y of
    1 - F(y)^n - (1-F(x))^n + (F(y)-F(x))^n (David and Nagaraja, Order Statistics, 3.1).
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    x, w = nodes * _REACH, weights * _REACH
    below = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])
    mean = float(np.sum(w * (1 - (1 - below) ** n - below**n)))
    # y runs from x to the end: the nodes are mapped into that part for every x.
    half = (_REACH - x) / 2
    y = x[:, None] + half[:, None] * (nodes[None, :] + 1)
    above = np.interp(y, *_fine_normal())
    inner = 1 - above**n - ((1 - below) ** n)[:, None] + np.clip(above - below[:, None], 0, None) ** n
    square = 2 * float(np.sum(w * half * np.sum(inner * weights[None, :], axis=1)))
    return mean, square


@lru_cache(maxsize=1)
def _fine_normal() -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    grid = np.linspace(-_REACH, _REACH, 40_001)
    return grid, np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in grid.tolist()])
