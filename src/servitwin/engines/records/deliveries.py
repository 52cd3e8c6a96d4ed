"""What was said of deliveries."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, select

from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.schedule.delivery_word import DeliveryWord
from servitwin.engines.records import delivery_tables as t
from servitwin.engines.records.database import add_many, put
from servitwin.engines.records.part import Part, decode, encode, holds

_AT_ONCE = 500


class DeliveryRecords(Part):
    """A word is kept once by (party, id) and never forgotten: one that is withdrawn stays so, whichever came first."""

    def add_delivery_words(self, words: Sequence[DeliveryWord]) -> list[DeliveryWord]:
        """Keep words, and say of withdrawn ones that they are; those that were new or are withdrawn now.

        Raises:
            ConflictError: ``delivery:event-conflict`` if an id is there with another content; nothing was kept then.
        """
        changed = []
        with self._database.together("deliveries"), self._database.write() as connection:
            for word in words:
                there = _there(connection, word)
                if there is None:
                    kept = word
                elif there.withdrawn is not None:
                    continue
                elif word.withdrawn is not None:
                    kept = msgspec.structs.replace(there, withdrawn=word.withdrawn)
                else:
                    _require_same(word, there)
                    continue
                _keep(connection, kept)
                changed.append(kept)
        return changed

    def delivery_words(self, refs: Sequence[str]) -> list[DeliveryWord]:
        """Words that name any of these references."""
        w, r = t.delivery_words.c, t.delivery_refs.c
        query = select(w.party, w.id, w.body).join(t.delivery_refs, and_(r.party == w.party, r.id == w.id))
        found: dict[tuple[str, str], DeliveryWord] = {}
        with self._database.read() as connection:
            if connection.execute(select(r.ref).limit(1)).first() is None:
                return []
            for i in range(0, len(refs), _AT_ONCE):
                for row in connection.execute(query.where(r.ref.in_(refs[i : i + _AT_ONCE]))):
                    found[row.party, row.id] = decode(row.body, DeliveryWord)
        return [found[key] for key in sorted(found)]

    def delivery_word(self, party: str, id: str) -> DeliveryWord | None:
        """One word."""
        w = t.delivery_words.c
        with self._database.read() as connection:
            row = connection.execute(select(w.body).where(w.party == party, w.id == id)).first()
        return None if row is None else decode(row.body, DeliveryWord)

    def newest_delivery_words(
        self, since: int, limit: int, about: str = "", after: DeliveryWord | None = None
    ) -> list[DeliveryWord]:
        """Words that came or were withdrawn after ``since`` (ns UTC), newest first.

        Args:
            since: see above.
            limit: so many at most.
            about: those that this company said, and those in which its id stands somewhere.
            after: what follows this one in that order.
        """
        w = t.delivery_words.c
        query = select(w.body).where(w.changed > since).order_by(w.changed.desc(), w.party, w.id).limit(limit)
        if about:
            query = query.where((w.party == about) | holds(self._database, w.body, encode(about)))
        if after is not None:
            later = (w.party > after.party) | ((w.party == after.party) & (w.id > after.id))
            query = query.where((w.changed < after.changed) | ((w.changed == after.changed) & later))
        with self._database.read() as connection:
            return [decode(row.body, DeliveryWord) for row in connection.execute(query)]


def _there(connection: Connection, word: DeliveryWord) -> DeliveryWord | None:
    w = t.delivery_words.c
    row = connection.execute(select(w.body).where(w.party == word.party, w.id == word.id)).first()
    return None if row is None else decode(row.body, DeliveryWord)


def _keep(connection: Connection, word: DeliveryWord) -> None:
    row = {"party": word.party, "id": word.id, "changed": word.changed, "body": encode(word)}
    put(connection, t.delivery_words, row)
    refs = [{"ref": ref, "party": word.party, "id": word.id} for ref in dict.fromkeys(word.refs)]
    add_many(connection, t.delivery_refs, refs)


def _require_same(word: DeliveryWord, there: DeliveryWord) -> None:
    told = msgspec.structs.replace(word, received=there.received, by=there.by)
    if told != there:
        fault = Fault(
            "delivery:event-conflict", f"Event {word.id[:120]} is kept with another content",
            "Give a corrected event a new id, and withdraw the old one by an error declaration", "eventID",
        )  # fmt: skip
        raise ConflictError(fault)
