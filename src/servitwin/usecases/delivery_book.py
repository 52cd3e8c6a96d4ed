"""Deliveries of companies as they stand by all that was said: read from registers and words, kept nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.delivery import Delivery, stand
from servitwin.domain.schedule.delivery_word import DeliveryWord
from servitwin.domain.schedule.master_data import ProductionOrder, StockedMaterial
from servitwin.domain.schedule.place import Awaited, Heard, arrivals_of, departures_of, place
from servitwin.usecases.ports import Records

MOST_LOOKED_UP = 200
"""Of more references, or partners, whole registers are read: that is quicker then."""
_Key = tuple[str, str, str, str]


class DeliveryBook:
    """For one look: what is read of registers is read once. Whoever asks has made sure of the right to what is shown.

    Registers of other companies are asked only for what is under a reference, or with a partner: a node has many.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._parties: list[str] | None = None
        self._whole: dict[str, list[Awaited]] = {}
        self._by_partner: dict[str, list[Awaited]] = {}
        self._by_ref: dict[str, list[Awaited]] = {}

    def of(self, house: str, refs: Collection[str] | None = None, known_at: int | None = None) -> list[Delivery]:
        """A company's deliveries, in and out.

        Args:
            house: whose registers they are in.
            refs: those under these references alone.
            known_at: by what was known then (ns UTC) of words; of registers as they are now.
        """
        mine = self._of(house) if refs is None else [a for a in self._under(refs) if a.house == house]
        return self._standing(mine, known_at)

    def under(self, refs: Collection[str]) -> list[Delivery]:
        """Deliveries of all companies under these references."""
        return self._standing(self._under(refs), None)

    def with_partner(self, partner: str) -> list[Delivery]:
        """Deliveries of all other companies from or to one."""
        return self._standing(self._with([partner]), None)

    def placed(self, word: DeliveryWord) -> tuple[list[tuple[Awaited, Heard]], Fault | None]:
        """Deliveries that a word is about, and why it is not about all it could be."""
        return place(word, self._under(word.refs))

    def _standing(self, awaited: Sequence[Awaited], known_at: int | None) -> list[Delivery]:
        keys = {a.key for a in awaited}
        words = self._records.delivery_words(sorted({a.ref for a in awaited if a.ref}))
        possible = self._possible(words, {a.house for a in awaited})
        heard: dict[_Key, list[Heard]] = {}
        for word in words:
            known = word if known_at is None else _as_known(word, known_at)
            if known is None:
                continue
            for a, one in place(known, [a for ref in word.refs for a in possible.get(ref, ())])[0]:
                if a.key in keys:
                    heard.setdefault(a.key, []).append(one)
        return [stand(a, heard.get(a.key, ())) for a in awaited]

    def _possible(self, words: Sequence[DeliveryWord], houses: set[str]) -> dict[str, list[Awaited]]:
        """By reference, what words could mean as far as it matters to deliveries of these houses.

        A company speaks of deliveries of its own, and of those of others that are from or to it.
        """
        refs, speakers = {ref for w in words for ref in w.refs}, {w.party for w in words}
        if len(refs) <= len(speakers) or not refs - self._by_ref.keys():
            return _by_ref(self._under(refs))
        own = houses & speakers
        others = [a for a in self._with(speakers) if a.house not in own]
        return _by_ref([*others, *(a for house in sorted(own) for a in self._of(house))])

    def _under(self, refs: Collection[str]) -> list[Awaited]:
        missing = sorted({ref for ref in refs if ref and ref not in self._by_ref})
        if missing:
            if len(missing) > MOST_LOOKED_UP:
                found = _by_ref(a for house in self._houses() for a in self._of(house))
            else:
                read = self._records.register_entries_naming
                stock, orders = read("materials", texts=missing), read("orders", ids=missing)
                found = _by_ref(self._read(stock, orders))
            self._by_ref |= {ref: found.get(ref, []) for ref in missing}
        return [a for ref in dict.fromkeys(refs) for a in self._by_ref.get(ref, ())]

    def _with(self, partners: Collection[str]) -> list[Awaited]:
        """What other companies await from these, or send to them."""
        missing = sorted(set(partners) - self._by_partner.keys())
        if missing:
            read = self._records.register_entries_naming
            self._by_partner |= {partner: [] for partner in missing}
            for a in self._read(read("materials", texts=missing), read("orders", texts=missing)):
                if a.partner in missing and a.house != a.partner:
                    self._by_partner[a.partner].append(a)
        return [a for partner in sorted(partners) for a in self._by_partner[partner]]

    def _of(self, house: str) -> list[Awaited]:
        if house not in self._whole:
            read = self._records.register_entries
            self._whole[house] = self._read(read("materials", [house]), read("orders", [house]))
        return self._whole[house]

    def _houses(self) -> list[str]:
        if self._parties is None:
            self._parties = [p.id for p in self._records.parties()]
        return self._parties

    def _read(self, stock: Iterable[RegisterEntry], orders: Iterable[RegisterEntry]) -> list[Awaited]:
        found: list[Awaited] = []
        for e in (*stock, *orders):
            try:
                if e.kind == "materials":
                    found += arrivals_of(e.party, {e.id: msgspec.convert(e.body, StockedMaterial)}, self._houses())
                else:
                    found += departures_of(e.party, {e.id: msgspec.convert(e.body, ProductionOrder)}, self._houses())
            except (InvalidInputError, msgspec.ValidationError):
                continue  # from before it was checked: the company's own plan says so, others do without it
        return found


def _by_ref(awaited: Iterable[Awaited]) -> dict[str, list[Awaited]]:
    found: dict[str, list[Awaited]] = {}
    for a in awaited:
        found.setdefault(a.ref, []).append(a)
    return found


def _as_known(word: DeliveryWord, at: int) -> DeliveryWord | None:
    """A word as it was known at an instant (ns UTC); None: not yet."""
    if word.received > at:
        return None
    withdrawn_later = word.withdrawn is not None and word.withdrawn > at
    return msgspec.structs.replace(word, withdrawn=None) if withdrawn_later else word
