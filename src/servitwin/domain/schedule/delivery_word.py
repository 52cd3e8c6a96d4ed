"""What somebody said of a delivery: that it is under way, that it came, or that it is expected at another time.

A word names the references of the delivery (order, delivery note) as papers have them; which delivery of whose register
that is, is found when it is read (:mod:`place`), so that a word may come before the delivery is announced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import MINUTE

Step = Literal["shipping", "arriving", "receiving", "expected", "came"]
"""``expected`` and ``came`` are said by people and programs in so many words; the others are steps of the thing itself,
as EPCIS has them."""
AHEAD = 5 * MINUTE
"""So far the clock of who tells may be ahead of ours."""
MOST_PIECES = 1_000_000_000
LONGEST_REF = 400


def is_reference(text: str) -> bool:
    """Whether a text can be the reference or id of something: not empty, not too long, nothing that no paper shows."""
    return 0 < len(text) <= LONGEST_REF and text.isprintable()


class Lot(msgspec.Struct, frozen=True, omit_defaults=True):
    """So many of a class of things; ``amount`` None: nobody counted. ``unit`` is UCUM, "1" for pieces."""

    name: str
    amount: int | None = None
    unit: str = "1"


class DeliveryWord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word.

    Attributes:
        party: company that says it; ``by`` the person or program of it.
        id: of the event, or made for a word that somebody said; unique within the party.
        step: what has happened, or was said.
        refs: of the delivery, each as written and in its short form.
        at: when it happened or was said, ``received`` when it came here (ns UTC).
        event: whether it is an event of a trace; else somebody said it in so many words.
        expected: when the delivery is expected (ns UTC).
        lots: counted classes; ``pieces``: serial numbers. Both empty: it does not say how much.
        thing: material or product that all of it is; empty: the lots say.
        house: company whose delivery it is, where a word was said about one.
        source, destination: parties of this node that goods went from and to, as far as an event names them.
        reason: why it is expected at another time, or in another amount.
        withdrawn: when it was declared never to have been right (ns UTC).
    """

    party: str
    id: str
    step: Step
    refs: tuple[str, ...]
    at: int
    received: int
    by: str = ""
    event: bool = False
    expected: int | None = None
    lots: tuple[Lot, ...] = ()
    pieces: tuple[str, ...] = ()
    thing: str = ""
    house: str = ""
    source: str = ""
    destination: str = ""
    reason: str = ""
    withdrawn: int | None = None

    @property
    def order(self) -> tuple[int, str, str]:
        """By this the later one of two words is told, whichever came here first; what somebody says, by when."""
        return self.at if self.event else self.received, self.party, self.id

    @property
    def changed(self) -> int:
        """When it came, or was withdrawn (ns UTC)."""
        return self.received if self.withdrawn is None else self.withdrawn

    @property
    def counts(self) -> bool:
        """Whether it says how much."""
        return bool(self.pieces) or any(lot.amount is not None for lot in self.lots)


def word_faults(word: DeliveryWord) -> Sequence[Fault]:
    """What is wrong with a word that somebody says."""
    faults = []
    if not all(is_reference(ref) for ref in word.refs):
        hint = f"At most {LONGEST_REF} printable signs, as the register has it"
        faults.append(Fault("delivery:reference", "That is no reference of a delivery", hint, "ref"))
    if word.at > word.received + AHEAD:
        message = "That is still to come: a delivery cannot have come then"
        faults.append(Fault("delivery:time-ahead", message, "Give the time at which it came", "time"))
    if word.step == "expected" and word.expected is None and not word.counts:
        hint = "Give the time at which it is expected, or the amount, or both"
        faults.append(Fault("delivery:says-nothing", "Neither a time nor an amount is given", hint, "time"))
    if word.step == "expected" and not word.reason.strip():
        hint = "Say why in a few words: who plans with it has to judge it"
        faults.append(Fault("delivery:reason-missing", "A change of a delivery needs its reason", hint, "reason"))
    if any(lot.amount is not None and not 0 <= lot.amount <= MOST_PIECES for lot in word.lots):
        hint = f"Whole pieces, 0 to {MOST_PIECES}"
        faults.append(Fault("delivery:amount", "An amount is below zero or beyond all measure", hint, "amount"))
    return faults
