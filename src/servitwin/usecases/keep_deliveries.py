"""Keep what was said of deliveries, and tell whom it concerns what has changed by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import NS, format_instant
from servitwin.domain.schedule.delivery import Delivery
from servitwin.domain.schedule.delivery_word import DeliveryWord
from servitwin.usecases.delivery_book import DeliveryBook
from servitwin.usecases.plan_production import Tell
from servitwin.usecases.ports import Records


class KeepDeliveries:
    """``tell`` takes events of kind ``plan``; ``now`` gives ns UTC."""

    def __init__(self, records: Records, tell: Tell, now: Callable[[], int]) -> None:
        self._records, self._tell, self._now = records, tell, now

    def add(self, words: Sequence[DeliveryWord]) -> list[Fault]:
        """Keep words; why some of them are about no delivery so far. They are kept, and looked at again.

        When they came (or were withdrawn) is set here, while no other word is kept: whoever has read words up to an
        instant has read all that are of it or earlier.

        Raises:
            ConflictError: ``delivery:event-conflict``; nothing was kept then.
        """
        if not words:
            return []
        with self._records.together("deliveries"):
            at, book, refs = self._now(), DeliveryBook(self._records), self._refs(words)
            before = {d.awaited.key: d for d in book.under(refs)}
            changed = self._records.add_delivery_words(
                [msgspec.structs.replace(w, received=at, withdrawn=None if w.withdrawn is None else at) for w in words]
            )
            faults = {w: fault for w in changed if w.withdrawn is None and (fault := book.placed(w)[1]) is not None}
            self._tell_not_matched(faults)
            for delivery in book.under(refs) if changed else ():
                self._tell_change(before[delivery.awaited.key], delivery)
        return list(faults.values())

    def tell_overdue(self, party: str, since: int, until: int) -> None:
        """Tell of what is under way to or from a company and should have come in [since, until) (ns UTC)."""
        if not self._records.newest_delivery_words(0, 1):
            return
        late = [
            d
            for d in DeliveryBook(self._records).of(party)
            if d.state == "under-way" and d.awaited_at is not None and since <= d.awaited_at < until
        ]
        for d in late:
            self._tell_both(d, {"happened": "delivery-late", **_told(d, until)})

    def _tell_not_matched(self, faults: Mapping[DeliveryWord, Fault]) -> None:
        """To who said it, and to the companies that are named: once, however many words there are."""
        known = {p.id for p in self._records.parties()} if faults else set()
        of: dict[str, list[DeliveryWord]] = {}
        for word in faults:
            for party in dict.fromkeys((word.party, *sorted({word.source, word.destination} & known))):
                of.setdefault(party, []).append(word)
        for party, words in of.items():
            told = {"event": words[0].id, "why": faults[words[0]].message, "count": len(words)}
            self._tell(party, {"happened": "delivery-not-matched", **told})

    def _refs(self, words: Iterable[DeliveryWord]) -> set[str]:
        """References of the words, and of those that they withdraw."""
        refs: set[str] = set()
        for word in words:
            there = self._records.delivery_word(word.party, word.id) if word.withdrawn is not None else None
            refs.update(word.refs, () if there is None else there.refs)
        return refs

    def _tell_change(self, before: Delivery, after: Delivery) -> None:
        if before.stands == after.stands and before.shipped == after.shipped:
            return
        now = self._now()
        if after.part is not None and after.given > before.given:
            happened = ["delivery-came-in-part"]
        elif after.state != before.state or after.state == "came" or after.given < before.given:
            happened = [f"delivery-{after.state}"]
        else:
            happened = ["delivery-expected"] if before.stands != after.stands else []
        if after.late(0) > before.late(0):  # by what was said, not because time went on
            happened.append("delivery-late")
        for one in happened:
            self._tell_both(after, {"happened": one, **_told(after, now)})

    def _tell_both(self, delivery: Delivery, told: Mapping[str, Any]) -> None:
        a = delivery.awaited
        self._tell(a.house, told)
        if a.resident and a.partner != a.house:
            self._tell(a.partner, told)


def _told(d: Delivery, now: int) -> Mapping[str, Any]:
    """A delivery for an event; whose word it is by party and event, never by a person's name."""
    a = d.awaited
    said = d.said if d.state != "announced" else d.expected_by
    return {
        "by_party": a.house, "side": d.side, "thing": a.thing, "ref": a.ref, "partner": a.partner,
        "announced": None if a.due is None else format_instant(a.due), "amount": d.amount,
        "expected": None if d.expected is None else format_instant(d.expected),
        "came": None if d.came is None else format_instant(d.came), "came_amount": d.given,
        "late_s": d.late(now) / NS, "reason": d.reason,
        "said": None if said is None else msgspec.to_builtins(msgspec.structs.replace(said, by="")),
    }  # fmt: skip
