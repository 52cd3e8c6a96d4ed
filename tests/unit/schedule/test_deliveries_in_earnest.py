"""Deliveries where much is wrong at once: parts, other goods, impossible entries, and who may change whose count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from servitwin.domain.error import InvalidInputError, NotFoundError
from servitwin.domain.instant import DAY, HOUR, MINUTE, parse_instant
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.delivery import otherwise, stand
from servitwin.domain.schedule.delivery_word import DeliveryWord
from servitwin.domain.schedule.place import Awaited, Heard
from servitwin.usecases.delivery_book import MOST_LOOKED_UP, DeliveryBook
from tests.unit.schedule.test_deliveries import (
    GATE,
    OTHER,
    PLANNER,
    STEEL,
    T0,
    House,
    at,
    counted,
    event,
    pieces,
    wrong,
)

AWAITED = Awaited(house="shop", side="in", thing="bar", ref="D", partner="steel", amount=100, due=T0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.records.close()


def received(hours: float, amount: int, id: str = "r") -> Heard:
    return Heard(DeliveryWord("shop", id, "receiving", ("D",), T0 + round(hours * HOUR), T0, event=True), amount)


def expected(minutes: float, amount: int | None = None, received: int = 0) -> Heard:
    time = T0 + round(minutes * MINUTE)
    return Heard(DeliveryWord("steel", f"e{received}", "expected", ("D",), T0, T0 + received, expected=time), amount)


def test_a_delivery_that_comes_pallet_by_pallet_is_under_way_until_the_last(house: House) -> None:
    house.announce("PAL")
    house.capture(STEEL, event("shipping", "PAL", 1, "pal-s"))
    house.told.clear()
    planned = house.one("PAL")
    for n in range(9):
        house.capture(GATE, event("receiving", "PAL", 8 + n / 10, f"pal-{n}", **counted(10)))
        part = house.one("PAL")
        assert (part.state, part.came, part.given) == ("under-way", None, 10 * (n + 1))
        assert otherwise(planned, part) == "", "nothing is short while the rest is still to come"
        assert house.happened() == ["delivery-came-in-part"]
        assert sum(a.came_amount or a.amount for a in house.shop.stock("shop")["bar"].arrivals) == 100
    house.capture(GATE, event("receiving", "PAL", 9, "pal-9", **counted(10)))
    assert house.happened() == ["delivery-came"]
    assert (house.one("PAL").came, otherwise(planned, house.one("PAL"))) == (T0 + 9 * HOUR, "")


def test_what_came_in_part_ends_by_a_word_or_by_less_that_is_expected(house: House) -> None:
    def in_part(ref: str) -> None:
        house.announce(ref)
        house.capture(GATE, event("receiving", ref, 9, f"{ref}-r", **counted(80)))
        assert house.one(ref).state == "under-way"

    in_part("SHORT-1")
    told = house.desk.say(GATE, "came", "SHORT-1", time=T0 + 9 * HOUR, amount=80)
    assert (told.state, told.given) == ("came", 80)
    in_part("SHORT-2")
    house.desk.say(STEEL, "expected", "SHORT-2", house="shop", amount=80, reason="no more were made")
    assert (house.one("SHORT-2").state, house.one("SHORT-2").given) == ("came", 80)


def test_more_than_the_plan_counted_with_is_a_reason_and_a_few_minutes_are_none() -> None:
    short = stand(AWAITED, [Heard(DeliveryWord("shop", "c", "came", ("D",), T0, T0), 90)])
    full = stand(AWAITED, [received(0, 100)])
    assert otherwise(short, full) == "delivery D of bar came with 100 instead of 90"
    planned = stand(AWAITED, [])
    assert otherwise(planned, stand(AWAITED, [expected(4)])) == ""
    assert otherwise(planned, stand(AWAITED, [expected(6)])) != ""
    assert otherwise(planned, stand(AWAITED, [expected(0, 99)])).endswith("with 99 instead of 100")
    assert otherwise(planned, stand(AWAITED, [received(0.05, 100)])) == ""


def test_a_supplier_changes_nothing_of_what_its_customer_has(house: House) -> None:
    def put_right(ref: str) -> tuple[str, int]:
        for amount in (40, 4000):
            house.desk.say(STEEL, "expected", ref, house="shop", amount=amount, reason="for the invoice")
        return house.one(ref).state, house.one(ref).given

    house.announce("OWN-1")
    house.desk.say(STEEL, "expected", "OWN-1", house="shop", amount=95, reason="five were cracked")
    house.desk.say(GATE, "came", "OWN-1", time=T0 + 9 * HOUR)
    assert put_right("OWN-1") == ("came", 95), "not counted: as it was expected then"
    house.announce("OWN-2")
    house.capture(GATE, event("receiving", "OWN-2", 9, "own-2", **counted(100)))
    assert put_right("OWN-2") == ("came", 100)


def test_of_several_goods_only_what_is_the_material_counts(house: House) -> None:
    house.announce("MIX")
    both = counted(60)["quantityList"] + counted(7, "pallet")["quantityList"]
    house.capture(GATE, event("receiving", "MIX", 9, "mix-1", quantityList=both))
    assert house.one("MIX").given == 60
    house.announce("TWO")
    unnamed = counted(60, "X-1")["quantityList"] + counted(7, "X-2")["quantityList"]
    refused = house.capture(GATE, event("receiving", "TWO", 9, "two-1", quantityList=unnamed)).not_matched
    assert [f.code for f in refused] == ["delivery:which-material"] and house.one("TWO").state == "announced"
    # Two batches of one article are of one thing.
    lots = [{"epcClass": f"urn:epc:class:lgtin:4012345.012345.L{n}", "quantity": 50} for n in (1, 2)]
    house.capture(GATE, event("receiving", "TWO", 9, "two-2", quantityList=lots))
    assert house.one("TWO").given == 100


@pytest.mark.parametrize("way", [-1.0, 8784.5, 1e10, 1e300])
def test_a_way_that_cannot_be_is_refused_and_an_old_one_harms_nobody(house: House, way: float) -> None:
    arrival = {"time": at(10), "amount": 100, "ref": f"WAY-{way}"}
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": [arrival], "transit_h": way}
    with pytest.raises(InvalidInputError) as caught:
        house.registers.put(PLANNER, "materials", "bar", body)
    assert caught.value.fault.code == ("number:too-large" if way > 2**63 else "production:amount")
    assert caught.value.fault.where == "transit_h"
    if way > 0:  # as it was let in before: the same entry, written past the check
        there = house.records.register_entry("materials", "other", f"old-{way:g}")
        assert there is None
        old = RegisterEntry("materials", f"old-{way:g}", "other", 1, house.now(), "eve", body)
        empty = msgspec.structs.replace(
            old, id=f"no-time-{way:g}", body={**body, "arrivals": [{**arrival, "time": ""}]}
        )
        house.records.add_register_entries([old, empty])
        house.capture(STEEL, event("shipping", f"WAY-{way}", 5, f"way-{way:g}"))
        _, _, others = house.desk.of(STEEL)
        (found,) = [d for d in others if d.awaited.ref == f"WAY-{way}"]
        assert (found.state, found.expected) == ("under-way", None)


@pytest.mark.parametrize("member", ["time", "amount", "ref"])
def test_arrivals_that_cannot_be_are_refused_at_the_register(house: House, member: str) -> None:
    for value in {"time": ["", "soon"], "amount": [10**18, -1], "ref": ["x" * 401, "a\x00b", "a\nb"]}[member]:
        arrival = {"time": at(10), "amount": 100, "ref": "R", member: value}
        with pytest.raises(InvalidInputError) as caught:
            house.registers.put(PLANNER, "materials", "bar", {"stock": 0, "as_of": at(-1), "arrivals": [arrival]})
        assert caught.value.fault.where == f"arrivals[0].{member}", value


def test_lists_that_are_no_members_of_the_type_are_not_read_and_others_are_refused(house: House) -> None:
    house.announce("LISTS")
    sent = event("receiving", "LISTS", 9, "lists-1", **counted(40))
    for odd in ({"childEPCs": [1]}, {"childQuantityList": None}, {"childEPCs": None, "childQuantityList": "3"}):
        house.capture(GATE, {**sent, **odd})
    packed = {
        **event("receiving", "LISTS", 9, "lists-2"), "type": "AggregationEvent", "parentID": "urn:x:p:1",
        "epcList": 5, "quantityList": [{"quantity": "3"}], "childQuantityList": counted(60)["quantityList"],
    }  # fmt: skip
    house.capture(GATE, packed)
    assert house.one("LISTS").given == 100
    made = {
        **event("receiving", "LISTS", 9, "lists-3"), "type": "TransformationEvent", "epcList": 5, "quantityList": [{}],
        "inputEPCList": ["urn:x:i:1"], "outputEPCList": ["urn:x:o:1"],
    }  # fmt: skip
    house.capture(GATE, made)
    too_long, nul = {"eventID": "u:" + "x" * 500}, {"eventID": "urn:a\x00b"}
    for change, place_of in (
        (counted(10**18), "quantityList"), (counted(1e300), "quantityList"), ({"quantityList": [{}]}, "quantityList"),
        ({"quantityList": None}, "quantityList"), ({"epcList": [1]}, "epcList"), (too_long, "eventID"),
        (nul, "eventID"), (wrong(nul), "eventID"), (papers("urn:x:" + "y" * 400), "bizTransactionList"),
        (papers("urn:x:%00"), "bizTransactionList"), (papers("urn:x:a\x00"), "bizTransactionList"),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError) as caught:
            house.capture(GATE, {**event("receiving", "LISTS", 9, "lists-4"), **change})
        assert caught.value.fault.where == f"eventList[0].{place_of}", json.dumps(change)[:100]


def papers(uri: str) -> dict[str, Any]:
    return {"bizTransactionList": [{"type": "po", "bizTransaction": uri}]}


def test_a_reference_without_an_end_matches_no_arrival_without_a_reference(house: House) -> None:
    arrival = {"time": at(10), "amount": 100}
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": [arrival]}
    house.registers.put(PLANNER, "materials", "bar", body)
    for n, uri in enumerate(("/", "urn:x:")):
        kept = house.capture(GATE, {**event("receiving", "", 9, f"end-{n}"), **papers(uri)})
        assert [f.code for f in kept.not_matched] == ["delivery:unknown"]
        there = house.records.delivery_word("shop", f"urn:uuid:end-{n}")
        assert there is not None and "" not in there.refs


def test_what_is_not_matched_is_told_once_and_read_page_by_page(house: House) -> None:
    house.told.clear()
    house.capture(OTHER, *(event("receiving", f"NONE-{n}", 9, f"none-{n}") for n in range(7)))
    assert [(party, data["happened"], data["count"]) for party, data in house.told] == [
        ("other", "delivery-not-matched", 7)
    ]
    seen, after = [], None
    for _ in range(3):
        page, after = house.desk.not_matched(OTHER, limit=3, after=after)
        seen.append([n.word.id for n in page])
    assert [len(page) for page in seen] == [3, 3, 1] and after is None
    assert sorted(id for page in seen for id in page) == [f"urn:uuid:none-{n}" for n in range(7)]


def test_what_is_open_is_shown_however_old(house: House) -> None:
    arrival = {"time": at(-24 * 90), "amount": 5, "ref": "OLD"}
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": [arrival]}
    house.registers.put(PLANNER, "materials", "bar", body)
    assert parse_instant(arrival["time"]) < house.now() - 60 * DAY
    assert "OLD" in [d.awaited.ref for d in house.desk.of(PLANNER)[1]]
    assert "OLD" in [d.awaited.ref for d in house.desk.of(STEEL)[2]]


def test_when_a_word_came_is_set_as_it_is_kept_and_no_odd_reference_is_looked_for(house: House) -> None:
    house.announce("STAMP")
    early = DeliveryWord("shop", "stamp-1", "came", ("STAMP",), T0, received=1)
    before = house.now()
    house.keep.add([early])
    kept = house.records.delivery_word("shop", "stamp-1")
    assert kept is not None and kept.received > before
    for odd in ("a\x00b", "x" * 500):
        with pytest.raises(NotFoundError):
            house.desk.withdraw(PLANNER, odd)
        with pytest.raises(InvalidInputError) as caught:
            house.desk.say(PLANNER, "came", odd)
        assert caught.value.fault.code == "delivery:reference"


def test_many_references_are_read_as_few_are(house: House) -> None:
    many = [{"time": at(10 + n), "amount": 1, "ref": f"M{n}"} for n in range(MOST_LOOKED_UP + 20)]
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": many}
    house.registers.put(PLANNER, "materials", "bar", body)
    house.capture(STEEL, *(event("shipping", f"M{n}", 1, f"m-{n}", **pieces(n)) for n in range(MOST_LOOKED_UP + 20)))
    whole = {d.awaited.ref: d for d in DeliveryBook(house.records).of("shop")}
    partner = {d.awaited.ref: d for d in DeliveryBook(house.records).with_partner("steel") if d.awaited.house == "shop"}
    for n in (0, MOST_LOOKED_UP + 19):
        (one,) = DeliveryBook(house.records).under([f"M{n}"])
        assert one.state == "under-way" and one == whole[f"M{n}"] == partner[f"M{n}"]
