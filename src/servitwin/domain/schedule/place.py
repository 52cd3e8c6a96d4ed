"""Which delivery a word is about: by its reference, by who says it, and by what it is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR, format_instant, parse_instant
from servitwin.domain.schedule.delivery_word import AHEAD, DeliveryWord, Lot, is_reference
from servitwin.domain.schedule.master_data import MOST_TRANSIT_H, ProductionOrder, StockedMaterial
from servitwin.domain.trace_id import gtin_of, short_name

Side = Literal["in", "out"]
PARTY = "urn:servitwin:party:"
"""Begins the URI of a company of this node."""
_NAME_IT = "Name the material: at the end of each epcClass, as servitwin:product, or as `thing`"


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as a register has it: announced by a supplier (``in``), or an order of a customer (``out``).

    Attributes:
        house: whose register it is in; ``partner``: the supplier or customer, "" or a name where it is no party.
        thing: the material or product, ``ref`` the reference of the delivery, for an order its id.
        due: when it is announced or promised (ns UTC); None: no time was promised.
        transit: from the partner's door to ours (ns), where that is known.
        by_hand: when the register says that it came (ns UTC), with ``amount_by_hand``.
        resident: whether the partner is a party of this node, which can say itself what it received.
        done: whether the register has it as an order that is done.
    """

    house: str
    side: Side
    thing: str
    ref: str
    partner: str
    amount: int
    due: int | None
    unit: str = "1"
    transit: int | None = None
    by_hand: int | None = None
    amount_by_hand: int = 0
    resident: bool = False
    done: bool = False

    @property
    def key(self) -> tuple[str, Side, str, str]:
        """Names it; two deliveries of one material under one reference have the same."""
        return self.house, self.side, self.thing, self.ref


class Heard(msgspec.Struct, frozen=True):
    """A word as one delivery hears it: ``amount`` of its things that were counted, ``pieces`` named one by one.

    ``amount`` None and no pieces: it does not say how much.
    """

    word: DeliveryWord
    amount: int | None = None
    pieces: tuple[str, ...] = ()


def arrivals_of(house: str, stock: Mapping[str, StockedMaterial], parties: Iterable[str]) -> list[Awaited]:
    """What suppliers announced; a way that cannot be, and a reference that no paper has, are not known."""
    known = set(parties)
    return [
        Awaited(
            house=house, side="in", thing=name, ref=a.ref if is_reference(a.ref) else "",
            partner=a.supplier or m.supplier, amount=a.amount, due=parse_instant(a.time), unit=m.unit,
            transit=None if m.transit_h is None or m.transit_h > MOST_TRANSIT_H else round(m.transit_h * HOUR),
            by_hand=parse_instant(a.came) if a.came else None, amount_by_hand=a.came_amount,
            resident=(a.supplier or m.supplier) in known,
        )
        for name, m in stock.items()
        for a in m.arrivals
    ]  # fmt: skip


def departures_of(house: str, orders: Mapping[str, ProductionOrder], parties: Iterable[str]) -> list[Awaited]:
    """What customers were promised; an order is known by its id."""
    known = set(parties)
    return [
        Awaited(
            house=house, side="out", thing=o.product, ref=id, partner=o.customer, amount=o.quantity,
            due=parse_instant(o.due) if o.due else None,
            by_hand=parse_instant(o.delivered) if o.delivered else None, amount_by_hand=o.delivered_quantity,
            resident=o.customer in known, done=o.state == "done",
        )
        for id, o in orders.items()
        if o.state != "cancelled"
    ]  # fmt: skip


def place(word: DeliveryWord, awaited: Sequence[Awaited]) -> tuple[list[tuple[Awaited, Heard]], Fault | None]:
    """The deliveries that a word is about, and why it is not about (all of) what it could be: never a guess.

    One thing that goes from a house to another is a delivery in the registers of both: an order and an arrival.

    Args:
        word: what was said.
        awaited: deliveries of any house under its references.
    """
    if not word.refs:
        return [], None  # it is no word on a delivery
    if word.at > word.received + AHEAD:
        hint = "Correct it: withdraw the event by an errorDeclaration and send one with the right time"
        message = f"It says to have happened at {format_instant(word.at)}, which was still to come when it was told"
        return [], Fault("delivery:time-ahead", message, hint, word.id)
    refs = set(word.refs)
    found = [a for a in awaited if a.ref and a.ref in refs and _may_say(word, a) and _goes(word, a)]
    own = [a for a in found if a.house == word.party]
    others = [a for a in found if a.house != word.party]
    heard, fault = _by_thing(word, _by_side(word, own)) if own else ([], None)
    if len({a.house for a in others}) > 1:
        message = f"More than one company has a delivery of yours under {short_name(word.refs[0])}"
        hint = f"Name the company, as {PARTY}ID in destinationList or sourceList"
        return heard, fault or Fault("delivery:which-company", message, hint, word.id)
    if others:
        further, wrong = _by_thing(word, others)
        heard, fault = [*heard, *further], fault or wrong
    return heard, fault if found else _unknown(word)


def _by_side(word: DeliveryWord, found: list[Awaited]) -> list[Awaited]:
    """A house ships to customers and receives from suppliers, where one reference is of both."""
    side = "out" if word.step == "shipping" else "in"
    return [a for a in found if a.side == side] or found


def _may_say(word: DeliveryWord, a: Awaited) -> bool:
    """The house speaks of all its deliveries; who sends says what it sends, who receives says what came."""
    if word.house and word.house != a.house:
        return False
    if word.step == "expected" and a.side == "out":
        return False  # that says the plan
    if word.party == a.house:
        return True
    sends = word.step in ("shipping", "expected")
    return word.party == a.partner and (sends if a.side == "in" else not sends)


def _goes(word: DeliveryWord, a: Awaited) -> bool:
    sender, receiver = (a.partner, a.house) if a.side == "in" else (a.house, a.partner)
    return word.source in ("", sender) and word.destination in ("", receiver)


def _by_thing(word: DeliveryWord, found: list[Awaited]) -> tuple[list[tuple[Awaited, Heard]], Fault | None]:
    named = {word.thing, *(short_name(lot.name) for lot in word.lots)}
    alone = len({a.thing for a in found}) == 1
    chosen = [a for a in found if a.thing in named] or ([] if word.thing and not word.event else found)
    if not chosen:
        return [], _unknown(word)
    unnamed = not any(a.thing in named for a in chosen)
    if word.counts and unnamed and alone and len(_classes(word)) > 1:
        several = ", ".join(sorted(c or "pieces" for c in _classes(word))[:5])
        message = f"It counts {several} together, and it is not said which of them is {chosen[0].thing}"
        return [], Fault("delivery:which-material", message, _NAME_IT, word.id)
    if word.counts and unnamed and not alone:
        several = ", ".join(sorted({a.thing for a in chosen})[:5])
        message = f"Under {chosen[0].ref} there are {several}, and it is not said of which there are how many"
        return [], Fault("delivery:which-material", message, _NAME_IT, word.id)
    things = [a.thing for a in chosen]
    if len(set(things)) < len(things):
        twice = next(a for a in chosen if things.count(a.thing) > 1)
        message = f"Under {twice.ref} more than one delivery of {twice.thing} is announced"
        hint = "Give each delivery its own `ref` in the register of materials, and name that one"
        return [], Fault("delivery:which-delivery", message, hint, word.id)
    heard = []
    for a in chosen:
        lots, pieces = _of(word, a.thing, alone=alone)
        other = next((x for x in lots if x.amount is not None and x.unit != a.unit), None)
        if other is not None:
            message = f"It counts {a.thing} in {other.unit}, the register in {a.unit}"
            hint = "Tell the amount in the register's unit (`uom`; none for pieces), or change the register"
            return [], Fault("delivery:other-unit", message, hint, word.id)
        counted = [x.amount for x in lots if x.amount is not None]
        heard.append((a, Heard(word, sum(counted) if counted else None, pieces)))
    return heard, None


def _of(word: DeliveryWord, thing: str, *, alone: bool) -> tuple[list[Lot], tuple[str, ...]]:
    """What of a word is a thing: all where it says so, or its lots by that name, or all that is under the reference."""
    by_name = [x for x in word.lots if short_name(x.name) == thing]
    if word.thing == thing or (alone and not by_name):
        return list(word.lots), word.pieces
    return by_name, ()


def _classes(word: DeliveryWord) -> set[str]:
    """Kinds of things that a word counts, as far as their ids tell; batches of one article are one."""
    return {gtin_of(x.name) or x.name for x in word.lots} | {gtin_of(id) for id in word.pieces}


def _unknown(word: DeliveryWord) -> Fault:
    """The same words whether nobody has such a delivery or it is none of the teller's business."""
    names = " / ".join(dict.fromkeys(short_name(ref) for ref in word.refs[:8]))
    message = f"No register has a delivery under {names} of which you could say this"
    hint = "Enter the reference (of the arrival, or the order's id) in the register, or correct what was said"
    return Fault("delivery:unknown", message, hint, word.id)
