"""Where a delivery stands by all that was said of it: the same whatever order it was said in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from servitwin.domain.instant import MINUTE, format_instant
from servitwin.domain.schedule.master_data import PlannedArrival, ProductionOrder, StockedMaterial
from servitwin.domain.schedule.place import Awaited, Heard, Side

DeliveryState = Literal["announced", "under-way", "came"]
TOLERANCE = 5 * MINUTE
"""So much another time of a delivery is no reason to plan anew: expectations that are computed change all the time."""


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose word it is: ``id`` of an event or of a word that somebody (``by``) said; empty: the register has it."""

    party: str
    at: int | None = None
    id: str = ""
    event: bool = False
    by: str = ""


class Delivery(msgspec.Struct, frozen=True):
    """A delivery as far as it is known.

    Attributes:
        awaited: as the register has it.
        state: announced, under way (also where a part of it is there), or there.
        expected: when it is expected as far as somebody said otherwise than announced (ns UTC), ``amount`` how much.
        shipped: when it was first sent (ns UTC).
        came: when it was there (ns UTC), and ``given`` of it.
        part: when the last of it came so far (ns UTC), ``given`` of it, while the rest is still to come.
        counted: whether somebody said how much came; else it is as much as was expected.
        reason: why it is expected otherwise.
        said: whose word the state is; ``expected_by``: the newest one on time or amount; None: the register's alone.
    """

    awaited: Awaited
    state: DeliveryState
    expected: int | None
    amount: int
    shipped: int | None
    came: int | None
    given: int
    counted: bool
    reason: str
    said: Said | None
    expected_by: Said | None
    part: int | None = None

    @property
    def side(self) -> Side:
        """Whether it comes in or goes out."""
        return self.awaited.side

    @property
    def awaited_at(self) -> int | None:
        """When it is expected by all that is known (ns UTC); None: no time was ever named."""
        return self.awaited.due if self.expected is None else self.expected

    def late(self, now: int) -> int:
        """By how much it came, or will come, later than announced (ns); what is under way and overdue grows."""
        if self.awaited.due is None:
            return 0
        there = self.came
        if there is None:
            there = self.awaited.due if self.expected is None else self.expected
            there = max(there, now) if self.state == "under-way" else there
        return max(0, there - self.awaited.due)

    @property
    def stands(self) -> tuple[object, ...]:
        """What a change of is told."""
        return self.state, self.expected, self.amount, self.came, self.part, self.given


def stand(awaited: Awaited, heard: Sequence[Heard]) -> Delivery:
    """Where a delivery stands.

    The register's own word that it came is the last one. Then counts what somebody said in so many words, the later
    word before the earlier; then events: received before merely arrived, who receives before who sends, each piece
    once, amounts added up. While those are less than is expected it is under way, and the rest is still to come, until
    somebody says in so many words that this was all. Withdrawn words count nothing.
    """
    words = sorted((h for h in heard if h.word.withdrawn is None), key=lambda h: h.word.order)
    sent = [h for h in words if h.word.step == "shipping"]
    time_by, expected = _expected(awaited, words)
    amount_by, amount = _amount(awaited, words)
    at, given, counted, whole, said = _came(awaited, words, sent)
    came, part = (at, None) if whole else (None, at)
    state: DeliveryState = "came" if whole else "under-way" if sent or part is not None else "announced"
    if said is None and sent:
        said = _said(sent[-1])
    newest = max((h for h in (time_by, amount_by) if h is not None), key=lambda h: h.word.order, default=None)
    return Delivery(
        awaited, state, expected, amount, sent[0].word.at if sent else None, came, given, counted,
        "" if newest is None else newest.word.reason, said, None if newest is None else _said(newest),
        part,
    )  # fmt: skip


def _expected(a: Awaited, words: Sequence[Heard]) -> tuple[Heard | None, int | None]:
    """The newest time that was told; else the way from the supplier's door, if it is known how long it takes."""
    told = [h for h in words if h.word.expected is not None and h.word.step in ("expected", "shipping")]
    if told:
        return told[-1], told[-1].word.expected
    sent = [h for h in words if h.word.step == "shipping"]
    if sent and a.transit is not None and a.side == "in":
        return sent[-1], sent[-1].word.at + a.transit
    return None, None


def _amount(a: Awaited, words: Sequence[Heard]) -> tuple[Heard | None, int]:
    told = [h for h in words if h.word.step == "expected" and h.amount is not None]
    if not told or told[-1].amount is None:
        return None, a.amount
    return told[-1], told[-1].amount


def _amount_at(a: Awaited, words: Sequence[Heard], h: Heard) -> int:
    """How much was expected when a word was said: what a supplier says later changes nothing of what came."""
    return _amount(a, [w for w in words if w.word.order <= h.word.order])[1]


def _came(a: Awaited, words: Sequence[Heard], sent: Sequence[Heard]) -> tuple[int | None, int, bool, bool, Said | None]:
    """(when, how much, whether it was counted, whether that is all, whose word)."""
    if a.by_hand is not None:
        return a.by_hand, a.amount_by_hand, True, True, Said(a.house)
    receiver = a.house if a.side == "in" else a.partner
    plain = [h for h in words if h.word.step == "came"]
    if plain:
        last = ([h for h in plain if h.word.party == receiver] or plain)[-1]
        counted = last.amount is not None
        given = _amount_at(a, words, last) if last.amount is None else last.amount
        return last.word.at, given, counted, True, _said(last)
    for step in ("receiving", "arriving"):
        found = [h for h in words if h.word.step == step]
        found = [h for h in found if h.word.party == receiver] or found
        if found:
            return _summed(a, words, found)
    if sent and a.side == "out" and not a.resident:
        return _summed(a, words, sent)  # nobody there can say that it came
    return None, 0, False, False, None


def _summed(a: Awaited, words: Sequence[Heard], found: Sequence[Heard]) -> tuple[int, int, bool, bool, Said]:
    """As :func:`_came`. It was all of it once it was as much as was expected then, or as is expected by now."""
    if not any(h.pieces or h.amount is not None for h in found):
        return found[-1].word.at, _amount_at(a, words, found[-1]), False, True, _said(found[-1])
    by_now = _amount(a, words)[1]
    amounts = [w for w in words if w.word.step == "expected"]
    seen: set[str] = set()
    total = 0
    whole: Heard | None = None
    for h in found:
        fresh = set(h.pieces) - seen
        seen |= fresh
        total += len(fresh) + (h.amount or 0)
        if whole is None and (total >= by_now or total >= _amount_at(a, amounts, h)):
            whole = h
    last = whole or found[-1]
    return last.word.at, total, True, whole is not None, _said(last)


def _said(h: Heard) -> Said:
    w = h.word
    return Said(w.party, w.at, w.id, w.event, "" if w.event else w.by)


# what is known of registers with it ----------------------------------------------------------------------------
Find = Callable[[str, Side, str, str], Delivery | None]


def finder(deliveries: Sequence[Delivery]) -> Find:
    """Finds a delivery by house, side, thing and reference; what two share is nobody's."""
    found: dict[tuple[str, Side, str, str], Delivery | None] = {}
    for d in deliveries:
        found[d.awaited.key] = None if d.awaited.key in found else d
    return lambda house, side, thing, ref: found.get((house, side, thing, ref)) if ref else None


def arrivals_as_told(
    house: str, stock: Mapping[str, StockedMaterial], find: Find, *, as_announced: bool = False
) -> dict[str, StockedMaterial]:
    """Materials with arrivals as they are expected now, and with what came of them: what a plan counts with.

    ``as_announced``: with the time and amount of the register, for a word is kept against what was announced.
    """

    def told(name: str, a: PlannedArrival) -> list[PlannedArrival]:
        d = find(house, "in", name, a.ref)
        if d is None:
            return [a]
        came = "" if d.came is None else format_instant(d.came)
        known = msgspec.structs.replace(a, came=came, came_amount=0 if d.came is None else d.given)
        if as_announced:
            return [known]
        time = a.time if d.expected is None else format_instant(d.expected)
        if d.part is None:
            return [msgspec.structs.replace(known, time=time, amount=d.amount)]
        there = msgspec.structs.replace(known, amount=d.given, came=format_instant(d.part), came_amount=d.given)
        return [there, msgspec.structs.replace(known, time=time, amount=d.amount - d.given)]

    return {
        name: msgspec.structs.replace(m, arrivals=tuple(one for a in m.arrivals for one in told(name, a)))
        for name, m in stock.items()
    }


def orders_with_what_came(house: str, orders: Mapping[str, ProductionOrder], find: Find) -> dict[str, ProductionOrder]:
    """Orders with what reached customers."""

    def told(id: str, o: ProductionOrder) -> ProductionOrder:
        d = find(house, "out", o.product, id)
        if d is None or d.came is None:
            return o
        return msgspec.structs.replace(o, delivered=format_instant(d.came), delivered_quantity=d.given)

    return {id: told(id, o) for id, o in orders.items()}


def otherwise(before: Delivery, after: Delivery) -> str:
    """In words, what a plan that counted with a delivery must know now; empty: it is as planned, or better there.

    Args:
        before: the delivery as the plan has it.
        after: as it is known now.
    """
    a = after.awaited
    if a.side == "out" or before.stands == after.stands:
        return ""
    name = f"delivery {a.ref} of {a.thing}"
    planned = before.awaited_at if before.came is None else before.came
    counted = before.given if before.came is not None else before.amount
    if after.came is not None:
        much = f"{counted - after.given} short" if after.given < counted else ""
        much = f"with {after.given} instead of {counted}" if after.given > counted else much
        late = f"at {format_instant(after.came)}" if planned is not None and after.came - planned > TOLERANCE else ""
        return f"{name} came {' '.join(w for w in (much, late) if w)}" if much or late else ""
    if before.came is not None:
        return f"{name} has not come after all"
    expected = after.awaited_at
    moved = expected is not None and (planned is None or abs(expected - planned) >= TOLERANCE)
    changes = [f"at {format_instant(expected)}"] if expected is not None and moved else []
    changes += [f"with {after.amount} instead of {counted}"] if after.amount != counted else []
    because = f" ({after.reason})" if after.reason else ""
    return f"{name} is expected {' '.join(changes)}{because}" if changes else ""
