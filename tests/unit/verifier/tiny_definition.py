"""The meaning of formulas on whole nanoseconds, by looking at every instant: the shortest possible definition.

Signals are lists of what is known at 0, 1, 2 ...; before and after nothing is known. A formula at an instant is
(surely, possibly, least, most).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

INF = math.inf
ENDLESS = 40  # from any instant that the tests look at, this is before all that is known
UNKNOWN = (False, True, -INF, INF)


def inverse(k: Any) -> Any:
    return (not k[1], not k[0], -k[3], -k[2])


def worst(ks: Any) -> Any:
    ks = list(ks)
    return tuple(min((k[i] for k in ks), default=(True, True, INF, INF)[i]) for i in range(4))


def best(ks: Any) -> Any:
    ks = list(ks)
    return tuple(max((k[i] for k in ks), default=(False, False, -INF, -INF)[i]) for i in range(4))


def word(truth: bool | None) -> Any:
    return UNKNOWN if truth is None else (True, True, INF, INF) if truth else (False, False, -INF, -INF)


class Tiny:
    """A trace; ``accuracy`` of all numbers."""

    def __init__(self, signals: dict[str, list[Any]], accuracy: float = 0.0) -> None:
        self.signals, self.accuracy = signals, accuracy
        self.end = max(map(len, signals.values()), default=0)
        self._known: dict[Any, Any] = {}

    def value(self, name: str, t: int) -> Any:
        values = self.signals[name]
        return values[t] if 0 <= t < len(values) else None

    def at(self, f: Any, t: int) -> Any:
        key = (id(f), t)
        if key not in self._known:
            self._known[key] = self._at(f, t)
        return self._known[key]

    def _at(self, f: Any, t: int) -> Any:
        kind = f["kind"]
        if kind == "is":
            value = self.value(f["signal"], t)
            return word(None if value is None else value in f["values"])
        if kind == "compare":
            return self.compare(f, t)
        if kind == "not":
            return inverse(self.at(f["of"], t))
        if kind == "and":
            return worst(self.at(p, t) for p in f["parts"])
        if kind == "or":
            return best(self.at(p, t) for p in f["parts"])
        if kind == "implies":
            return best([inverse(self.at(f["condition"], t)), self.at(f["then"], t)])
        low, high = f["window"]["low"], f["window"].get("high")
        ahead = range(t + low, t + (high or 0) + 1)
        behind = range(t - (ENDLESS if high is None else high), t - low + 1)
        if kind == "always":
            return worst(self.at(f["of"], u) for u in ahead)
        if kind == "eventually":
            return best(self.at(f["of"], u) for u in ahead)
        if kind == "historically":
            return worst(self.at(f["of"], u) for u in behind)
        if kind == "once":
            return best(self.at(f["of"], u) for u in behind)
        if kind == "until":
            return best(worst([self.at(f["goal"], u), *(self.at(f["hold"], v) for v in range(t, u))]) for u in ahead)
        if kind == "since":
            return best(
                worst([self.at(f["goal"], u), *(self.at(f["hold"], v) for v in range(u + 1, t + 1))]) for u in behind
            )
        assert kind == "next_change"
        first = self.value(f["signal"], t)
        if first is None:
            return UNKNOWN
        for u in range(t + 1, t + high + 1):
            now = self.value(f["signal"], u)
            if now is None:
                return UNKNOWN
            if now != first:
                return word(False) if u < t + low else self.at(f["then"], u)
        return word(False)

    def compare(self, f: Any, t: int) -> Any:
        left, limit, relation = f["left"], f["right"]["value"], f["relation"]
        if left["kind"] in ("count", "duration"):
            if t >= self.end:
                return UNKNOWN
            seen = range(t - left["past"] + 1, t + 1)
            inner = [(self.at(left["of"], u), self.at(left["of"], u - 1)) for u in seen]
            if left["kind"] == "count":
                few = sum(now[0] and not was[1] for now, was in inner)
                many = sum(now[1] and not was[0] for now, was in inner)
            else:
                few, many = sum(now[0] for now, _ in inner), sum(now[1] for now, _ in inner)
                limit = Fraction(round(Fraction(str(limit)) * 10**9))
            answers = {RELATIONS[relation](n, limit) for n in range(few, many + 1)}
            return word(answers.pop() if len(answers) == 1 else None)
        value = self.value(left["signal"], t)
        if value is None:
            return UNKNOWN
        lo, hi = value - self.accuracy, value + self.accuracy
        corners = [RELATIONS[relation](x / 2, limit) for x in range(round(2 * lo), round(2 * hi) + 1)]
        margins = [MARGINS[relation](x / 2 - limit) for x in range(round(2 * lo), round(2 * hi) + 1)]
        return all(corners), any(corners), min(margins), max(margins)


RELATIONS = {
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
MARGINS = {
    ">": lambda d: d, ">=": lambda d: d, "<": lambda d: -d, "<=": lambda d: -d,
    "==": lambda d: -abs(d), "!=": abs,
}  # fmt: skip
