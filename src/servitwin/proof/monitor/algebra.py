"""What a representation of truth over time has to offer, and the operators that follow from it.

Two fulfil it and say the same: arrays for a history (:mod:`servitwin.proof.monitor.arrays`), and lists where runs are
few, as between two steps of a live monitor (:mod:`servitwin.proof.monitor.lists`), where a call of an array operation
costs more than the runs that it goes over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from servitwin.domain.observation import Bools, Int64s


class Track(Protocol):
    """Truth over all time; ``at_once``: decided at each instant itself."""

    at_once: bool


T = TypeVar("T", bound=Track)


@dataclass(slots=True, eq=False)
class Stretches:
    """Runs of one value of a signal: neighbouring known runs differ in value. The first one begins at FIRST."""

    start: Int64s
    known: Bools


class Algebra(ABC, Generic[T]):
    """Truth over all time with its decisions, and the operators of formulas on it; windows in ns."""

    @abstractmethod
    def constant(self, value: bool) -> T:
        """The same at all times, and always known."""

    @abstractmethod
    def negation(self, a: T) -> T:
        """True where ``a`` is false."""

    @abstractmethod
    def both(self, a: T, b: T) -> T:
        """True where both are; false as soon as one is decided to be."""

    @abstractmethod
    def either(self, a: T, b: T) -> T:
        """True where one is."""

    @abstractmethod
    def shifted(self, a: T, by: int) -> T:
        """At t what ``a`` is at t + by."""

    @abstractmethod
    def throughout(self, a: T, low: int, high: int) -> T:
        """True at t if ``a`` is true at every instant of [t + low, t + high] (negative: in the past)."""

    @abstractmethod
    def somewhere(self, a: T, low: int, high: int) -> T:
        """True at t if ``a`` is true at some instant of [t + low, t + high]."""

    @abstractmethod
    def settled(self, a: T) -> T:
        """``a`` decided at each instant: where no operator of the future reads it and it looks back alone."""

    @abstractmethod
    def with_past(self, a: T, cut: int, value: bool) -> T:
        """``a`` from ``cut`` on, and ``value`` at all instants before."""

    @abstractmethod
    def at_least(self, a: T, past: int, need: int) -> T:
        """True at t if ``a`` is true at ``need`` or more instants (ns) of (t - past, t]; decided at t."""

    @abstractmethod
    def until_ever(self, hold: T, goal: T) -> T:
        """``goal`` at some t' from t on and ``hold`` on [t, t')."""

    @abstractmethod
    def since_ever(self, hold: T, goal: T) -> T:
        """``goal`` at some t' up to t and ``hold`` on (t', t]."""

    @abstractmethod
    def next_change(self, at: Stretches, then: T, low: int, high: int, *, unknown: bool) -> T:
        """The first change after t lies in [t + low, t + high] and ``then`` holds there.

        ``unknown`` is what it is where nobody knows the signal.
        """

    @abstractmethod
    def value_before(self, a: T, cut: int) -> bool:
        """The truth at the instant before ``cut``."""

    @abstractmethod
    def occurs_before(self, a: T, cut: int, value: bool) -> bool:
        """Whether ``a`` is ``value`` at any instant before ``cut``."""

    def until(self, hold: T, goal: T, low: int, high: int) -> T:
        """``goal`` at some t' in [t + low, t + high] and ``hold`` on [t, t')."""
        ever = self.until_ever(hold, goal)
        answer = self.both(self.somewhere(goal, low, high), self.shifted(ever, low) if low else ever)
        return self.both(self.throughout(hold, 0, low - 1), answer) if low else answer

    def since(self, hold: T, goal: T, low: int, high: int | None) -> T:
        """``goal`` at some t' in [t - high, t - low] and ``hold`` on (t', t]."""
        ever = self.since_ever(hold, goal)
        answer = self.shifted(ever, -low) if low else ever
        if high is not None:
            answer = self.both(self.somewhere(goal, -high, -low), answer)
        return self.both(self.throughout(hold, 1 - low, 0), answer) if low else answer
