"""Reasons: what people say about why a machine stood, with who said it, and every later correction."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from servitwin.domain.error import Fault


class ReasonChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One leaf or branch of a machine type's reason tree, as an operator taps it.

    ``responsible``: whose matter it usually is, ``provider``, ``customer`` or ``third``; empty: the tree does not say.
    """

    code: str
    title: str
    responsible: str = ""
    choices: tuple[ReasonChoice, ...] = ()


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody's word for why a machine was in its state over [start, end).

    Attributes:
        cause: code from the machine type's reason tree.
        party: responsible party as this person sees it; empty: not said.
        author_party: party of the person: a reason in its own party's favour is a claim, not a fact.
        at: when it was said, ns UTC.
        replaces: id of the reason that it corrects; that one is kept, and no longer counts.
    """

    id: str
    twin: str
    start: int
    end: int
    cause: str
    party: str
    author: str
    author_party: str
    at: int
    note: str = ""
    replaces: str = ""


def check_reason(reason: Reason) -> Fault | None:
    """The fault of a reason by itself."""
    if reason.end <= reason.start:
        return Fault("reason:period-reversed", "The reason ends before it begins", "Give a later end", "to")
    if not reason.cause:
        return Fault("reason:cause-missing", "A reason needs a cause", "Choose one from the machine's reasons", "cause")
    return None


def in_force(reasons: Iterable[Reason], known_at: int | None = None) -> list[Reason]:
    """Reasons that count as known at an instant, in the order in which they were said; later ones hold."""
    known = sorted((r for r in reasons if known_at is None or r.at <= known_at), key=lambda r: (r.at, r.id))
    replaced = {r.replaces for r in known if r.replaces}
    return [r for r in known if r.id not in replaced]
