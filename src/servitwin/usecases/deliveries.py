"""Deliveries for a caller: its own, those of others that concern it, what is said, and what matches nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import DAY
from servitwin.domain.party import Actor
from servitwin.domain.schedule.delivery import Delivery
from servitwin.domain.schedule.delivery_word import DeliveryWord, Lot, Step, is_reference, word_faults
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.delivery_book import DeliveryBook
from servitwin.usecases.keep_deliveries import KeepDeliveries
from servitwin.usecases.ports import Records
from servitwin.usecases.registers import Registers

RECENT = 30 * DAY
"""So long what came is shown."""
MOST_READ, AT_ONCE = 2_000, 500
"""So many words are read for a page at most, and so many at a time."""


class NotMatched(msgspec.Struct, frozen=True):
    """A word that is about no delivery, or not about all it could be, with the reason and how to mend it."""

    word: DeliveryWord
    fault: Fault


class Deliveries:
    """For one caller at a time; a caller acts for its own party unless it names another."""

    def __init__(
        self,
        records: Records,
        registers: Registers,
        authoriser: Authoriser,
        audit: Audit,
        keep: KeepDeliveries,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records, self._registers, self._authoriser = records, registers, authoriser
        self._audit, self._keep, self._now, self._new_id = audit, keep, now, new_id

    def of(self, actor: Actor, party: str = "") -> tuple[str, list[Delivery], list[Delivery]]:
        """(party, its own deliveries, those of others from or to it): what is open and what came lately, by date."""
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        book = DeliveryBook(self._records)
        return mine, self._shown(book.of(mine)), self._shown(book.with_partner(mine))

    def not_matched(
        self, actor: Actor, party: str = "", limit: int = 100, after: tuple[str, str] | None = None
    ) -> tuple[list[NotMatched], tuple[str, str] | None]:
        """What the party said that matches nothing, and what others said that names it; newest first.

        Args:
            actor: who asks.
            party: about which company; default: its own.
            limit: so many at most.
            after: party and id of the word with which the page before ended.

        Returns:
            A page (which may be short, where much matched), and where the next one begins; None: it was the last.
        """
        mine = self._registers.party_of(actor, party)
        self._authoriser.require_for_party(actor, "see_plan", mine)
        book, found = DeliveryBook(self._records), list[NotMatched]()
        last = self._records.delivery_word(*after) if after is not None else None
        for _ in range(MOST_READ // AT_ONCE):
            words = self._records.newest_delivery_words(0, AT_ONCE, mine, last)
            for word in words:
                last = word
                concerns = word.withdrawn is None and mine in (word.party, word.source, word.destination)
                fault = book.placed(word)[1] if concerns else None
                if fault is not None:
                    found.append(NotMatched(word, fault))
                    if len(found) == limit:
                        return found, (word.party, word.id)
            if len(words) < AT_ONCE:
                return found, None
        return found, None if last is None else (last.party, last.id)

    def say(
        self,
        actor: Actor,
        step: Step,
        ref: str,
        *,
        house: str = "",
        thing: str = "",
        time: int | None = None,
        amount: int | None = None,
        reason: str = "",
        party: str = "",
    ) -> Delivery:
        """Say in so many words when a delivery is expected, or that it came.

        Args:
            actor: who says it.
            step: ``expected`` or ``came``.
            ref: of the delivery; for an order its id.
            house: company in whose register the delivery is; default: the caller's.
            thing: material or product, where the reference is of several.
            time: when it is expected or came (ns UTC); it came now if no time is given.
            amount: how much; default: as it is expected so far.
            reason: why it is expected otherwise.
            party: for whom the caller speaks; default: its own company.

        Raises:
            NotFoundError: ``delivery:unknown``: there is none, or it is none of the caller's business.
            InvalidInputError: ``delivery:...``.
        """
        mine, now = self._registers.party_of(actor, party), self._now()
        self._require(actor, step, mine)
        lots = () if amount is None else (Lot(thing or ref, amount),)
        word = DeliveryWord(
            mine, self._new_id(), step, (ref,), now if step == "expected" or time is None else time, now, by=actor.id,
            expected=time if step == "expected" else None, lots=lots, thing=thing, house=house or mine, reason=reason,
        )  # fmt: skip
        faults = list(word_faults(word))
        if faults:
            raise InvalidInputError(faults)
        book = DeliveryBook(self._records)
        unit = next((a.unit for a, _ in book.placed(msgspec.structs.replace(word, lots=()))[0]), "1")
        # Somebody who gives a number means it in the unit of the register.
        word = msgspec.structs.replace(word, lots=tuple(msgspec.structs.replace(lot, unit=unit) for lot in lots))
        placed, fault = book.placed(word)
        if fault is not None and fault.code == "delivery:unknown":
            raise NotFoundError(msgspec.structs.replace(fault, where="ref"))
        if fault is not None:
            raise InvalidInputError(msgspec.structs.replace(fault, where="thing"))
        told = {"party": mine, "house": word.house, "word": word.id, "said": step}
        with self._records.together("deliveries"):
            self._keep.add([word])
            self._audit.note(actor, "delivery.say", ref, told)
            there = {d.awaited.key: d for d in DeliveryBook(self._records).of(word.house, {ref})}
            if placed[0][0].key not in there:
                message = f"The register of {word.house} no longer has {ref}: it was changed just now"
                raise NotFoundError(Fault("delivery:unknown", message, "Look again, and say it once more", "ref"))
        return there[placed[0][0].key]

    def withdraw(self, actor: Actor, id: str, party: str = "") -> None:
        """Take a word of one's own company back, said or told by an event.

        Raises:
            NotFoundError: ``delivery:word-unknown``.
        """
        mine = self._registers.party_of(actor, party)
        word = self._records.delivery_word(mine, id) if is_reference(id) else None
        self._require(actor, "expected" if word is None else word.step, mine)
        if word is None or word.withdrawn is not None:
            message = f"Your company has said nothing under {id[:120]!r}"
            raise NotFoundError(Fault("delivery:word-unknown", message, "GET /api/v1/deliveries names words", "id"))
        with self._records.together("deliveries"):
            self._keep.add([msgspec.structs.replace(word, withdrawn=self._now())])
            self._audit.note(actor, "delivery.withdraw", id, {"party": mine})

    def _require(self, actor: Actor, step: Step, party: str) -> None:
        """What came is said by whoever stands at the gate; another date by who plans."""
        if step == "came" and self._authoriser.may_for_party(actor, "answer_plan", party):
            return
        self._authoriser.require_for_party(actor, "plan", party)

    def _shown(self, found: list[Delivery]) -> list[Delivery]:
        since = self._now() - RECENT

        def recent(d: Delivery) -> bool:
            if d.state == "announced":
                return not d.awaited.done  # however long ago it should have come: nobody has said that it did
            return d.came is None or d.came > since

        return sorted(filter(recent, found), key=lambda d: (d.state == "came", d.awaited.due or 0, d.awaited.key))
