"""Words on deliveries in both databases: kept once, found by reference, withdrawn for good in either order."""

import msgspec
import pytest

from servitwin.domain.error import ConflictError
from servitwin.domain.schedule.delivery_word import DeliveryWord, Lot

SENT = DeliveryWord("steel", "e1", "shipping", ("urn:x:D-1", "D-1"), 100, 110, event=True)
CAME = DeliveryWord("shop", "e1", "receiving", ("D-1", "PO-7"), 120, 130, event=True, lots=(Lot("bar", 5),))


def test_words_are_found_by_any_of_their_references(records):
    assert records.delivery_words(["D-1"]) == []
    assert records.add_delivery_words([SENT, CAME, SENT]) == [SENT, CAME]
    assert records.add_delivery_words([msgspec.structs.replace(SENT, received=500)]) == []
    assert records.delivery_words(["PO-7", "nothing"]) == [CAME]
    many = [f"ref-{n}" for n in range(1200)]
    assert records.delivery_words([*many, "D-1", "urn:x:D-1"]) == [CAME, SENT]
    assert records.newest_delivery_words(110, 10) == [CAME]
    assert records.newest_delivery_words(0, 10, "steel") == [SENT]
    assert records.delivery_word("steel", "e1") == SENT and records.delivery_word("acme", "e1") is None


def test_what_is_withdrawn_stays_so_whichever_came_first(records):
    declared = msgspec.structs.replace(SENT, received=900, withdrawn=900)
    for first, second in ((SENT, declared), (declared, SENT)):
        one, two = (msgspec.structs.replace(w, id=f"{first.withdrawn}") for w in (first, second))
        records.add_delivery_words([one])
        records.add_delivery_words([two])
        kept = records.delivery_word("steel", one.id)
        assert (kept.withdrawn, kept.refs) == (900, SENT.refs)
        assert records.add_delivery_words([two]) == []
    assert {w.id for w in records.newest_delivery_words(899, 10)} == {"None", "900"}


def test_another_content_is_a_conflict_and_nothing_of_it_is_kept(records):
    records.add_delivery_words([CAME])
    other = msgspec.structs.replace(CAME, lots=(Lot("bar", 6),))
    with pytest.raises(ConflictError) as caught:
        records.add_delivery_words([SENT, other])
    assert caught.value.fault.code == "delivery:event-conflict"
    assert records.delivery_words(["D-1"]) == [CAME]
