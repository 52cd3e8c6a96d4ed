"""Deliveries tell of themselves: whatever order words come in, a delivery stands where all of them say."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servitwin.domain.error import ConflictError, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.instant import HOUR, MINUTE, format_instant, parse_instant
from servitwin.domain.party import Actor, Party
from servitwin.domain.schedule.delivery import Delivery, otherwise, stand
from servitwin.domain.schedule.delivery_word import DeliveryWord, Lot
from servitwin.domain.schedule.place import Awaited, Heard, place
from servitwin.engines.records import SqlRecords, migrate
from servitwin.formats.epcis_reader import read_document
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.deliveries import Deliveries
from servitwin.usecases.delivery_book import DeliveryBook
from servitwin.usecases.keep_deliveries import KeepDeliveries
from servitwin.usecases.keep_trace import KeepTrace, Kept
from servitwin.usecases.production_shop import ProductionShop
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry

T0 = parse_instant("2026-03-02T06:00:00Z")
GATE = Actor("gate", "program", "shop", ("engineer",))
PLANNER = Actor("paula", "person", "shop", ("production_manager",))
STEEL = Actor("sam", "person", "steel", ("engineer",))
ACME = Actor("ann", "person", "acme", ("engineer",))
OTHER = Actor("eve", "person", "other", ("engineer",))


def at(hours: float) -> str:
    return format_instant(T0 + round(hours * HOUR))


class House:
    """Real records with a house, its supplier, its customer and a stranger; a clock that goes on with each call."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder}/records.db"
        migrate(url)
        self.records = SqlRecords(url)
        for party in ("shop", "steel", "acme", "other"):
            self.records.save_party(Party(party, party.title()))
        self.ticks = itertools.count(T0 + 100 * HOUR, MINUTE)
        self.ids = (f"word-{n}" for n in itertools.count())
        self.told: list[tuple[str, dict[str, Any]]] = []
        registry = Registry(self.records)
        authoriser = Authoriser(registry, self.records, lambda: "shop", self.now)
        audit = Audit(self.records, self.now)
        self.registers = Registers(self.records, authoriser, audit, self.now)
        keep = KeepDeliveries(self.records, lambda party, data: self.told.append((party, dict(data))), self.now)
        self.keep = keep
        self.traces = KeepTrace(self.records, registry, authoriser, audit, lambda *_: None, self.now, keep)
        self.desk = Deliveries(self.records, self.registers, authoriser, audit, keep, self.now, lambda: next(self.ids))
        self.shop = ProductionShop(self.records, registry)

    def now(self) -> int:
        return next(self.ticks)

    def announce(self, ref: str, *, material: str = "bar", amount: int = 100, more: tuple[Any, ...] = ()) -> None:
        arrival = {"time": at(10), "amount": amount, "ref": ref}
        body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": [arrival, *more]}
        self.registers.put(PLANNER, "materials", material, body)

    def order(self, id: str, customer: str = "acme") -> None:
        self.registers.put(
            PLANNER, "orders", id, {"product": "pin", "quantity": 10, "due": at(20), "customer": customer}
        )

    def capture(self, who: Actor, *events: dict[str, Any]) -> Kept:
        document = {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": list(events)}}
        return self.traces.capture(read_document(json.dumps(document).encode()), who)

    def one(self, ref: str, house: str = "shop") -> Delivery:
        (found,) = DeliveryBook(self.records).of(house, {ref})
        return found

    def happened(self, party: str = "shop") -> list[str]:
        found = [data["happened"] for whose, data in self.told if whose == party]
        self.told.clear()
        return found


def event(step: str, ref: str, hours: float, id: str = "", **more: Any) -> dict[str, Any]:
    found = {
        "type": "ObjectEvent", "action": "OBSERVE", "bizStep": step, "eventTime": at(hours),
        "eventTimeZoneOffset": "+00:00", "epcList": [],
        "bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:0614141000005:{ref}"}],
        **({"eventID": f"urn:uuid:{id}"} if id else {}), **more,
    }  # fmt: skip
    if not found["epcList"] and "quantityList" not in found:
        found["epcList"] = ["urn:epc:id:sscc:0614141.1234567890"]
    return found


def pieces(*numbers: int) -> dict[str, Any]:
    return {"epcList": [f"urn:epc:id:sgtin:0614141.107346.{n}" for n in numbers]}


def counted(amount: float, of: str = "bar", **more: Any) -> dict[str, Any]:
    return {"quantityList": [{"epcClass": f"urn:servitwin:class:{of}", "quantity": amount, **more}]}


def wrong(found: dict[str, Any]) -> dict[str, Any]:
    declared = {"declarationTime": at(15), "reason": "urn:epcglobal:cbv:er:incorrect_data"}
    return {**found, "errorDeclaration": declared}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.records.close()


_refs = itertools.count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(11)))
def test_whatever_order_events_come_in_the_delivery_stands_where_all_of_them_say(
    house: House, order: list[int]
) -> None:
    ref = f"D{next(_refs)}"
    sent = event("shipping", ref, 1, f"{ref}-s", **{"servitwin:expectedArrival": at(14)})
    later = event("shipping", ref, 2, f"{ref}-t", **{"servitwin:expectedArrival": at(16)})
    first, second = (event("receiving", ref, 12, f"{ref}-1", **pieces(*range(60))),
                     event("receiving", ref, 13, f"{ref}-2", **pieces(*range(50, 100))))  # fmt: skip
    false = event("receiving", ref, 11, f"{ref}-f", **counted(100))
    words = [
        (STEEL, sent), (STEEL, later), (STEEL, sent), (GATE, first), (GATE, second), (GATE, first), (GATE, false),
        (GATE, wrong(false)), (GATE, event("arriving", ref, 11.5, f"{ref}-a", **counted(7))),
        # Neither a stranger's word nor the supplier's own that it was received says anything of it.
        (OTHER, event("receiving", ref, 3, f"{ref}-o", **counted(1))), (STEEL, event("receiving", ref, 3, f"{ref}-p")),
    ]  # fmt: skip
    announced_at = order.index(0)  # the register hears of the delivery at any point
    for n, i in enumerate(order):
        if n == announced_at:
            house.announce(ref)
        house.capture(*words[i])
    found = house.one(ref)
    assert (found.state, found.came, found.given, found.counted) == ("came", T0 + 13 * HOUR, 100, True)
    assert (found.expected, found.shipped) == (T0 + 16 * HOUR, T0 + HOUR)
    assert found.said is not None and found.said.id == f"urn:uuid:{ref}-2"
    assert found.late(T0) == 3 * HOUR


def test_each_step_is_told_to_both_and_the_plan_counts_with_it(house: House) -> None:
    house.announce("S1")
    house.told.clear()
    house.capture(STEEL, event("shipping", "S1", 1, "s1", **{"servitwin:expectedArrival": at(14)}))
    assert [data["happened"] for _, data in house.told] == ["delivery-under-way"] * 2 + ["delivery-late"] * 2
    assert {party for party, _ in house.told} == {"shop", "steel"}
    assert house.told[0][1]["said"] == {"party": "steel", "at": T0 + HOUR, "id": "urn:uuid:s1", "event": True}
    house.told.clear()
    (arrival,) = house.shop.stock("shop")["bar"].arrivals
    assert (arrival.time, arrival.amount, arrival.came) == (at(14), 100, "")
    house.capture(GATE, event("receiving", "S1", 15, "r1", **counted(80)))
    assert house.happened() == ["delivery-came-in-part"]
    there, rest = house.shop.stock("shop")["bar"].arrivals
    assert (there.came, there.came_amount, rest.came, rest.time, rest.amount) == (at(15), 80, "", at(14), 20)
    # It was wrong: under way again, and then the right one.
    house.capture(GATE, wrong(event("receiving", "S1", 15, "r1", **counted(80))))
    assert house.one("S1").state == "under-way" and house.happened() == ["delivery-under-way"]
    house.capture(GATE, event("receiving", "S1", 15, "r2", **counted(100)))
    assert house.one("S1").given == 100 and house.happened() == ["delivery-came", "delivery-late"]


def test_what_is_under_way_and_overdue_is_told_once_as_its_time_passes(house: House) -> None:
    keep = KeepDeliveries(house.records, lambda party, data: house.told.append((party, dict(data))), house.now)
    house.announce("O1")
    house.capture(STEEL, event("shipping", "O1", 1, "o1"))
    house.told.clear()
    for start, told in ((8, []), (9, ["delivery-late"]), (10, []), (11, [])):
        keep.tell_overdue("shop", T0 + start * HOUR + 1, T0 + (start + 1) * HOUR + 1)
        late = [data for party, data in house.told if party == "shop" and data["ref"] == "O1"]
        assert [data["happened"] for data in late] == told, start
        house.told.clear()
    house.capture(GATE, event("receiving", "O1", 9, "o2"))
    house.told.clear()
    keep.tell_overdue("shop", T0, T0 + 20 * HOUR)
    assert "O1" not in [data["ref"] for _, data in house.told]


def test_a_delivery_that_was_sent_is_expected_by_the_way_from_the_suppliers_door(house: House) -> None:
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "transit_h": 6.5}
    arrival = {"time": at(10), "amount": 100, "ref": "W1"}
    house.registers.put(PLANNER, "materials", "bar", {**body, "arrivals": [arrival]})
    house.capture(STEEL, event("shipping", "W1", 5, "w1"))
    assert house.one("W1").expected == T0 + round(11.5 * HOUR)
    house.desk.say(STEEL, "expected", "W1", house="shop", time=T0 + 9 * HOUR, reason="the night ferry")
    assert house.one("W1").expected == T0 + 9 * HOUR, "what somebody says is better than what was computed"
    less = house.desk.say(STEEL, "expected", "W1", house="shop", amount=90, reason="one was cracked")
    assert (less.expected, less.amount, less.reason) == (T0 + 9 * HOUR, 90, "one was cracked")
    assert less.expected_by is not None
    house.desk.withdraw(STEEL, less.expected_by.id)
    assert (house.one("W1").amount, house.one("W1").reason) == (100, "the night ferry")


def test_what_matches_nothing_is_kept_and_counts_once_the_register_knows_it(house: House) -> None:
    kept = house.capture(GATE, event("receiving", "LATER", 12, "l1", **counted(40)))
    (fault,) = kept.not_matched
    assert fault.code == "delivery:unknown" and "LATER" in fault.message and "ref" in fault.hint
    assert "urn:uuid:l1" in [n.word.id for n in house.desk.not_matched(PLANNER)[0]]
    assert "urn:uuid:l1" not in [n.word.id for n in house.desk.not_matched(STEEL)[0]]
    house.announce("LATER")
    assert house.one("LATER").given == 40
    assert "urn:uuid:l1" not in [n.word.id for n in house.desk.not_matched(PLANNER)[0]]
    named = {"destinationList": [{"type": "owning_party", "destination": "urn:servitwin:party:shop"}]}
    house.capture(STEEL, event("shipping", "TYPO", 1, "l2", **named))
    assert "urn:uuid:l2" in [n.word.id for n in house.desk.not_matched(PLANNER)[0]], "it names this house"
    none = event("receiving", "", 1, "l3")
    del none["bizTransactionList"]
    assert house.capture(GATE, none).not_matched == (), "it is no word on a delivery"
    assert house.records.delivery_word("shop", "urn:uuid:l3") is None
    ahead = event("receiving", "LATER", (house.now() - T0) / HOUR + 10, "l4")  # a clock of another time zone
    assert house.capture(GATE, ahead).not_matched[0].code == "delivery:time-ahead"


def test_several_materials_on_one_note_are_told_apart_or_nothing_is_guessed(house: House) -> None:
    house.announce("N1", material="bar")
    house.announce("N1", material="ring", amount=20)
    both = counted(100)["quantityList"] + counted(20, "ring")["quantityList"]
    house.capture(GATE, event("receiving", "N1", 9, "n1", quantityList=both))
    found = {d.awaited.thing: d.given for d in DeliveryBook(house.records).of("shop", {"N1"})}
    assert found == {"bar": 100, "ring": 20}
    refused = house.capture(GATE, event("receiving", "N1", 9, "n2", **pieces(1, 2, 3))).not_matched
    assert [f.code for f in refused] == ["delivery:which-material"]
    house.announce("N2", material="ring")
    refused = house.capture(GATE, event("receiving", "N2", 9, "n3", **counted(5, "ring", uom="KGM"))).not_matched
    assert [f.code for f in refused] == ["delivery:other-unit"] and house.one("N2").state == "announced"
    twice = {"time": at(40), "amount": 5, "ref": "N3"}
    house.announce("N3", more=(twice,))
    refused = house.capture(GATE, event("receiving", "N3", 9, "n4", **counted(5))).not_matched
    assert [f.code for f in refused] == ["delivery:which-delivery"]


def test_an_order_is_under_way_until_its_customer_has_it_and_there_at_once_where_nobody_can_say(house: House) -> None:
    house.order("K-1")
    house.order("K-2", customer="somebody without a node")
    house.capture(GATE, event("shipping", "K-1", 5, "k1", **pieces(1, 2)), event("shipping", "K-2", 5, "k2"))
    assert house.one("K-1").state == "under-way"
    assert (house.one("K-2").state, house.one("K-2").came) == ("came", T0 + 5 * HOUR)
    house.capture(OTHER, event("receiving", "K-1", 6, "k3"))
    assert house.one("K-1").state == "under-way", "another company cannot say it"
    house.told.clear()
    house.capture(ACME, event("receiving", "K-1", 21, "k4", **pieces(*range(10))))
    found = house.one("K-1")
    assert (found.state, found.came, found.given, found.late(T0)) == ("came", T0 + 21 * HOUR, 10, HOUR)
    assert house.happened("acme") == ["delivery-came", "delivery-late"]


def test_what_one_house_ships_another_receives(house: House) -> None:
    """One event, two registers: the order of the supplier's house and the arrival in its customer's."""
    maker = Actor("mia", "person", "steel", ("production_manager",))
    body = {"product": "bar", "quantity": 50, "due": at(9), "customer": "shop"}
    house.registers.put(maker, "orders", "T-7", body)
    house.announce("T-7", amount=50)
    house.capture(maker, event("shipping", "T-7", 4, "t1"))
    assert {house.one("T-7", party).state for party in ("steel", "shop")} == {"under-way"}
    house.capture(GATE, event("receiving", "T-7", 8, "t2", **counted(50)))
    assert {house.one("T-7", party).state for party in ("steel", "shop")} == {"came"}


def test_a_reference_that_two_companies_have_needs_the_name_of_one(house: House) -> None:
    house.announce("4711")
    buyer = Actor("oli", "person", "other", ("production_manager",))
    arrival = {"time": at(10), "amount": 1, "ref": "4711"}
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": [arrival]}
    house.registers.put(buyer, "materials", "bar", body)
    assert house.capture(STEEL, event("shipping", "4711", 1, "x1")).not_matched[0].code == "delivery:which-company"
    named = {"destinationList": [{"type": "owning_party", "destination": "urn:servitwin:party:other"}]}
    house.capture(STEEL, event("shipping", "4711", 1, "x2", **named))
    assert (house.one("4711").state, house.one("4711", "other").state) == ("announced", "under-way")


def test_words_of_people_and_who_may_say_what(house: House) -> None:
    house.announce("H1")
    said = house.desk.say(STEEL, "expected", "H1", house="shop", time=T0 + 30 * HOUR, amount=70, reason="furnace")
    assert (said.expected, said.amount, said.reason) == (T0 + 30 * HOUR, 70, "furnace")
    assert said.expected_by is not None and (said.expected_by.party, said.expected_by.by) == ("steel", "sam")
    (arrival,) = house.shop.stock("shop")["bar"].arrivals
    assert (arrival.time, arrival.amount) == (at(30), 70)
    for who, words in (
        (OTHER, {"house": "shop", "time": T0, "reason": "x"}), (ACME, {"house": "shop", "time": T0, "reason": "x"}),
        (STEEL, {"time": T0, "reason": "x"}),
    ):  # fmt: skip
        with pytest.raises(NotFoundError) as caught:
            house.desk.say(who, "expected", "H1", **words)
        assert caught.value.fault.code == "delivery:unknown"
    with pytest.raises(NotFoundError):
        house.desk.say(STEEL, "came", "H1", house="shop")  # what was received says who received it
    with pytest.raises(RefusedError):
        house.desk.say(OTHER, "expected", "H1", house="shop", time=T0, reason="x", party="steel")
    with pytest.raises(InvalidInputError) as wrong_words:
        house.desk.say(STEEL, "expected", "H1", house="shop")
    assert {f.code for f in wrong_words.value.faults} == {"delivery:says-nothing", "delivery:reason-missing"}
    at_gate = Actor("otto", "person", "shop", ("operator",))
    with pytest.raises(RefusedError):
        house.desk.say(at_gate, "expected", "H1", time=T0, reason="x")
    house.capture(GATE, event("receiving", "H1", 31, "h1", **counted(60)))
    came = house.desk.say(at_gate, "came", "H1", time=T0 + 32 * HOUR, amount=65)
    assert (came.given, came.said and came.said.by) == (65, "otto"), "who counted again is right"
    again = house.desk.say(at_gate, "came", "H1", time=T0 + 31 * HOUR, amount=66)
    assert (again.given, again.came) == (66, T0 + 31 * HOUR), "said later, though it is of an earlier hour"
    assert again.said is not None
    with pytest.raises(NotFoundError):
        house.desk.withdraw(STEEL, again.said.id)
    house.desk.withdraw(at_gate, again.said.id)
    assert house.one("H1").given == 65
    # The register's own word is the last.
    done = {"time": at(10), "amount": 100, "ref": "H1", "came": at(33), "came_amount": 64}
    body = {"stock": 0, "as_of": at(-1), "supplier": "steel", "arrivals": [done]}
    house.registers.put(PLANNER, "materials", "bar", body)
    assert (house.one("H1").given, house.one("H1").said and house.one("H1").said.id) == (64, "")


def test_another_content_under_the_same_id_is_refused_whole(house: House) -> None:
    house.announce("C1")
    house.capture(GATE, event("receiving", "C1", 9, "c1", **counted(80)))
    with pytest.raises(ConflictError):
        house.capture(GATE, event("arriving", "C1", 8, "c0"), event("receiving", "C1", 9, "c1", **counted(90)))
    assert house.one("C1").given == 80
    assert house.records.delivery_word("shop", "urn:uuid:c0") is None
    # Without ids the amounts are part of what an event is known by.
    house.announce("C2")
    house.capture(GATE, *(event("receiving", "C2", 9, **counted(n)) for n in (40, 60)))
    house.capture(GATE, event("receiving", "C2", 9, **counted(40)))
    assert house.one("C2").given == 100
    house.capture(GATE, wrong(event("receiving", "C2", 9, **counted(40))))
    assert house.one("C2").given == 60


def test_malformed_deliveries_are_refused_with_the_place(house: House) -> None:
    bad = [
        ({"bizTransactionList": ["PO-1"]}, "bizTransactionList"),
        ({"sourceList": {"type": "owning_party"}}, "sourceList"),
        ({"servitwin:expectedArrival": "tomorrow"}, "servitwin:expectedArrival"),
        (counted(-1), "quantityList"),
    ]
    for member, place_of in bad:
        with pytest.raises(InvalidInputError) as caught:
            house.capture(GATE, {**event("shipping", "Z", 1), **member})
        assert caught.value.fault.where == f"eventList[0].{place_of}"


AWAITED = Awaited(house="shop", side="in", thing="bar", ref="D", partner="steel", amount=100, due=T0)
LOTS = st.lists(st.builds(Lot, st.just("bar"), st.integers(0, 60)), max_size=2).map(tuple)
words = st.builds(
    DeliveryWord, st.sampled_from(["shop", "steel"]), st.uuids().map(str),
    st.sampled_from(["shipping", "arriving", "receiving", "expected", "came"]), st.just(("D",)),
    st.integers(T0, T0 + 9), st.integers(T0, T0 + 9), event=st.booleans(),
    expected=st.none() | st.integers(T0, T0 + 9), lots=LOTS,
    pieces=st.lists(st.sampled_from("abc"), unique=True).map(tuple), withdrawn=st.none() | st.just(T0),
)  # fmt: skip


@given(st.lists(words, max_size=7), st.randoms())
def test_where_a_delivery_stands_is_of_the_set_of_words(said: list[DeliveryWord], random: Any) -> None:
    def by(order: list[DeliveryWord]) -> Delivery:
        return stand(AWAITED, [heard for w in order for a, heard in place(w, [AWAITED])[0]])

    mixed = [*said, *said[:2]]
    random.shuffle(mixed)
    unique = list({(w.party, w.id): w for w in mixed}.values())
    assert by(unique) == by(said)
    without = [w for w in said if w.withdrawn is None]
    assert by(without) == by(said), "what was withdrawn might as well never have been said"
    assert otherwise(by(said), by(unique)) == ""


def test_what_is_otherwise_than_planned_is_said_in_words_and_what_is_better_is_not() -> None:
    planned = stand(AWAITED, [])
    put_off = Heard(DeliveryWord("steel", "a", "expected", ("D",), T0, T0, expected=T0 + HOUR, reason="ferry"))
    assert otherwise(planned, stand(AWAITED, [put_off])) == f"delivery D of bar is expected at {at(1)} (ferry)"

    def came(hours: float, amount: int) -> Delivery:
        return stand(
            AWAITED,
            [Heard(DeliveryWord("shop", "b", "came", ("D",), T0 + round(hours * HOUR), T0), amount)],
        )

    assert otherwise(planned, came(-1, 100)) == ""
    assert otherwise(planned, came(1, 90)) == f"delivery D of bar came 10 short at {at(1)}"
    assert otherwise(came(-1, 100), planned) == "delivery D of bar has not come after all"
    assert (
        otherwise(msgspec.structs.replace(planned, awaited=msgspec.structs.replace(AWAITED, side="out")), planned) == ""
    )
