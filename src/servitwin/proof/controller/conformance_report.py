"""What recorded observations say of a model, as plain data; :mod:`servitwin.proof.controller.conformance` finds it."""

from __future__ import annotations

import msgspec


class Seen(msgspec.Struct, frozen=True):
    """A recorded observation. ``value`` None or a word without a meaning: not known from here on."""

    time: int
    signal: str
    value: float | str | bool | None


class Unexplained(msgspec.Struct, frozen=True):
    """A change (or a stay: ``after`` equals ``before``) that no way of the model explains.

    ``first`` is the time (ns) of its first occurrence, ``count`` how often it happened.
    """

    before: dict[str, str]
    after: dict[str, str]
    first: int
    count: int


class Conformance(msgspec.Struct, frozen=True):
    """What recorded observations say of the model.

    Attributes:
        changes: changes of a region's state between two known rows.
        explained: those for which the model has a way.
        others: changes of inputs and variables alone, and how many of them the model allows.
        stays: rows that stayed longer than the steps of a way, and how many of them the model can stay in.
        unknown: changes from or to a value that is not known: not judged.
        not_asked: changes for which the time did not suffice.
        unexplained: the different ones, most frequent first, at most 100.
        states_seen: leaves of observed regions that were recorded; ``states_of`` how many there are.
        transitions_seen: labels of transitions that explain a change; ``transitions_of`` all of observed regions.
        span_ns: from the first to the last observation.
        steps: longest way that was allowed for one change.
    """

    changes: int
    explained: int
    others: int
    others_explained: int
    stays: int
    stays_explained: int
    unknown: int
    not_asked: int
    unexplained: tuple[Unexplained, ...]
    states_seen: tuple[str, ...]
    states_of: int
    transitions_seen: tuple[str, ...]
    transitions_of: int
    span_ns: int
    steps: int

    @property
    def note(self) -> str:
        """One sentence to stand beside an answer."""
        if not self.changes:
            return "No change of state was recorded: nothing is known about how well the model fits the machine"
        share = self.explained / self.changes
        return (
            f"The model explains {self.explained} of {self.changes} recorded changes of state ({share:.1%}); "
            f"{len(self.states_seen)} of {self.states_of} states and {len(self.transitions_seen)} of "
            f"{self.transitions_of} transitions were seen"
        )
