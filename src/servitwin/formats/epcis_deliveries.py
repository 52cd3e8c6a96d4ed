"""Reads what an EPCIS 2.0 event says of a delivery: that it was sent, that it arrived, that it was received.

The references of the delivery are its business transactions (CBV 2.0, 7.3: ``po``, ``desadv``, ...), by their whole
URI and by its last part. When it is expected is told by the extension ``servitwin:expectedArrival``, for the standard
has no place for it. Companies of a node are named ``urn:servitwin:party:ID`` in source and destination lists.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.schedule.delivery_word import (
    LONGEST_REF,
    MOST_PIECES,
    DeliveryWord,
    Lot,
    Step,
    is_reference,
)
from servitwin.domain.schedule.place import PARTY
from servitwin.domain.trace_event import TraceEvent
from servitwin.domain.trace_id import short_name
from servitwin.formats.epcis_words import PREFIX, UNIT_OF_CODE, short_word

STEPS: dict[str, Step] = {
    "shipping": "shipping", "departing": "shipping", "arriving": "arriving", "receiving": "receiving",
    "accepting": "receiving",
}  # fmt: skip
EXPECTED = f"{PREFIX}:expectedArrival"
_PIECES = frozenset({"", "C62", "EA", "H87", "PCE"})
_CONTAINERS = ("urn:epc:id:sscc:", "https://id.gs1.org/00/")
_MOST_REFS = 50
_GOODS = {
    "ObjectEvent": ("epcList", "quantityList"), "AggregationEvent": ("childEPCs", "childQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
}  # fmt: skip
"""Lists of an event that name its goods; others are no members of its type, and whatever they hold is not read."""


def read_delivery(raw: Mapping[str, Any], event: TraceEvent) -> DeliveryWord | None:
    """What the event says of a delivery, without who says it; None: nothing, for it names none.

    A declared error is a withdrawn word.

    Raises:
        InvalidInputError: ``epcis:member-wrong``.
    """
    step = STEPS.get(short_word(str(raw.get("bizStep", ""))))
    declared = "errorDeclaration" in raw
    withdrawn = declared and bool(event.given_id)
    if step is None and not withdrawn:
        return None
    refs = _refs(raw)
    if not refs and not withdrawn:
        return None
    one_by_one, by_class = _GOODS.get(str(raw.get("type", raw.get("isA"))), ("", ""))
    lots, named = _lots(raw, by_class), raw.get(one_by_one, ())
    expected = raw.get(EXPECTED)
    return DeliveryWord(
        "", event.given_id or _own_id(event, lots), step or "shipping",
        refs, event.time, 0, event=True,
        expected=None if expected is None else _instant(expected),
        lots=tuple(lots), pieces=tuple(dict.fromkeys(i for i in named if not i.startswith(_CONTAINERS))),
        thing=event.product, source=_party(_members(raw, "sourceList", "source")),
        destination=_party(_members(raw, "destinationList", "destination")), withdrawn=0 if declared else None,
    )  # fmt: skip


def _refs(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """References, each as written and by its last part, as far as it has one."""
    name = "bizTransactionList"
    written = _members(raw, name, "bizTransaction")
    if len(written) > _MOST_REFS:
        raise _wrong(f"{len(written)} business transactions", f"At most {_MOST_REFS} in one event", name)
    found = dict.fromkeys(n for ref in written for n in (ref, short_name(ref)) if n)
    if not all(is_reference(n) for n in found):
        hint = f"At most {LONGEST_REF} printable signs"
        raise _wrong("A business transaction is too long or not printable", hint, name)
    return tuple(found)


def _own_id(event: TraceEvent, lots: list[Lot]) -> str:
    """An event without an id is known by its content, to which for a delivery its amounts belong."""
    return f"{event.id}-{hashlib.sha256(msgspec.json.encode(lots)).hexdigest()[:16]}" if lots else event.id


def _members(raw: Mapping[str, Any], name: str, member: str) -> list[str]:
    entries = raw.get(name, [])
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and isinstance(e.get(member), str) for e in entries
    ):
        raise _wrong(f"{name} holds something else than objects with {member}", f"type and {member}, both URIs", name)
    return [e[member] for e in entries if e[member]]


def _party(uris: list[str]) -> str:
    return next((u.removeprefix(PARTY) for u in uris if u.startswith(PARTY)), "")


def _lots(raw: Mapping[str, Any], name: str) -> list[Lot]:
    """Counted classes; the reader of the event has seen that they are well formed. Parts of a unit are not there."""
    found = []
    for entry in raw.get(name, ()):
        code, quantity = str(entry.get("uom", "")), entry.get("quantity")
        unit = "1" if code in _PIECES else UNIT_OF_CODE.get(code, code)
        if quantity is not None and not 0 <= quantity <= MOST_PIECES:
            message = "A delivery is of a quantity below zero or beyond all measure"
            raise _wrong(message, f"Write what was sent or came, 0 to {MOST_PIECES}", name)
        found.append(Lot(entry["epcClass"], None if quantity is None else math.floor(quantity), unit))
    return found


def _instant(text: object) -> int:
    try:
        return parse_instant(str(text))
    except InvalidInputError as e:
        raise _wrong(e.fault.message, e.fault.hint, EXPECTED) from None


def _wrong(message: str, hint: str, member: str) -> InvalidInputError:
    return InvalidInputError(Fault("epcis:member-wrong", message, hint, member))
