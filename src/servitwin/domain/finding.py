"""Findings: stretches in which a requirement was certainly not kept, or of which a service says that it looks wrong."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

Severity = Literal["low", "medium", "high", "safety"]


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """An observation that an explanation rests on. ``value`` None: the signal was not known from there on."""

    signal: str
    time: int
    value: float | str | bool | None = None


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the formula is false at ``at``: a smallest set of observations that alone make it so, and its parts.

    Attributes:
        parts: characters [first, last) of the formula's text, and the verdict of that part at ``at``.
    """

    at: int
    samples: tuple[Sample, ...] = ()
    parts: tuple[tuple[int, int, str], ...] = ()


class Hypothesis(msgspec.Struct, frozen=True, omit_defaults=True):
    """A likely cause or place. It is ranked, never proven.

    Attributes:
        weight: share among the hypotheses named, 0 to 1; what it rests on stands in ``because``.
    """

    kind: Literal["cause", "component", "neighbour"]
    name: str
    title: str
    weight: float
    because: tuple[str, ...] = ()


class FoundSignal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one signal has to do with what a service found.

    Attributes:
        share: its part in the finding among all signals, 0 to 1.
        since: from when on it showed by itself, ns UTC.
        deviation: how far off it was at most, in standard deviations of what is usual, with its sign.
        value, usual: a reading that shows it, and what is usual instead, in the signal's own unit.
    """

    signal: str
    share: float | None = None
    since: int | None = None
    deviation: float | None = None
    value: float | None = None
    usual: float | None = None


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a service says of a finding. Nothing is proven by it.

    ``hints`` are hypotheses in words; ``version`` is that of the service.
    """

    text: str
    signals: tuple[FoundSignal, ...] = ()
    hints: tuple[str, ...] = ()
    version: str = ""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A maximal stretch [start, end) in which a requirement is false; ``end`` None: it goes on.

    Attributes:
        requirement: full name: component path and key joined by a dot, or the key alone; of a finding of a service its
            code, such as ``anomaly:deviates``.
        digest: of the requirement as it was checked (:func:`requirement_digest` of its canonical form); of a finding
            of a service what tells assignments with other parameters apart.
        least, most: bounds of the robustness, in the unit of the deciding comparison; None where nothing measured.
        determined: instant from which the violation was certain.
        cut: what was known when it was found: shard, as text, to its last sequence.
    """

    twin: str
    requirement: str
    digest: str
    component: str
    severity: Severity
    start: int
    determined: int
    end: int | None = None
    least: float | None = None
    most: float | None = None
    cut: dict[str, int] = {}

    @property
    def id(self) -> str:
        """The same violation found again has the same id."""
        key = f"{self.twin}\n{self.requirement}\n{self.digest}\n{self.start}"
        return hashlib.sha256(key.encode()).hexdigest()[:32]
