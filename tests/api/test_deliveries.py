"""Deliveries over the API: events in, words of people, to each company its part, nothing by another's token."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from servitwin.domain.instant import HOUR, NS, format_instant


def at(hours):
    return format_instant(1_700_000_000 * NS + hours * HOUR)


def event(step, ref, hours, **more):
    return {
        "type": "ObjectEvent", "action": "OBSERVE", "bizStep": step, "eventTime": at(hours),
        "eventTimeZoneOffset": "+00:00", "epcList": ["urn:epc:id:sscc:0614141.1234567890"],
        "bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:0614141000005:{ref}"}],
        **more,
    }  # fmt: skip


def send(client, *events):
    body = {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": list(events)}}
    return client.post(
        "/api/v1/epcis/v2/capture", content=json.dumps(body), headers={"Content-Type": "application/ld+json"}
    )


@pytest.fixture
def mike(node):
    """Administrator of the maker, who supplies acme here."""
    with closing(node.browser("mike")) as client:
        yield client


@pytest.fixture
def sam(node):
    """Head of service of the maker."""
    with closing(node.browser("sam")) as client:
        yield client


@pytest.fixture
def announced(anna):
    arrivals = [{"time": at(10), "amount": 100, "ref": "D-1"}, {"time": at(50), "amount": 80, "ref": "D-2"}]
    body = {"stock": 0, "as_of": at(0), "supplier": "maker", "arrivals": arrivals}
    assert anna.put("/api/v1/registers/materials/bar", json={"body": body}).status_code == 200
    order = {"product": "pin", "quantity": 7, "due": at(20), "customer": "maker"}
    assert anna.put("/api/v1/registers/orders/K-1", json={"body": order}).status_code == 200


def of(client, which, ref, **query):
    answer = client.get("/api/v1/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return next((d for d in answer.json()[which] if d["ref"] == ref), None)


@pytest.fixture
def recent(node, monkeypatch):
    """What came is shown for thirty days: the node's clock stands near the events."""
    monkeypatch.setattr(node.parts, "now", lambda: 1_700_000_000 * NS + 100 * HOUR)


def test_a_delivery_goes_its_way_and_each_company_sees_its_part(announced, recent, anna, adam, mike, olga):
    known = {"captured": 1, "known": 0, "withdrawn": 0, "not_matched": []}
    assert send(mike, event("shipping", "D-1", 2, **{"servitwin:expectedArrival": at(14)})).json() == known
    mine, theirs = of(anna, "own", "D-1"), of(mike, "of_others", "D-1")
    assert (mine["state"], mine["expected"], mine["late_s"]) == ("under-way", at(14), 90 * 3600), "overdue since then"
    assert mine["said"]["party"] == "maker" and mine["said"]["event"] and mine == theirs
    assert of(olga, "own", "D-1") is None and of(olga, "of_others", "D-1") is None
    for number, amount in (("1", 90), ("2", 10)):
        lot = {"epcClass": "urn:servitwin:class:bar", "quantity": amount}
        part = event("receiving", "D-1", 15, epcList=[], quantityList=[lot], eventID=f"urn:uuid:{number}")
        assert send(adam, part).status_code == 202
        seen = of(mike, "of_others", "D-1")
        assert (seen["state"], seen["came_amount"]) == (("under-way", 90) if number == "1" else ("came", 100))
    came = of(mike, "of_others", "D-1")
    assert (came["state"], came["came_amount"], came["late_s"]) == ("came", 100, 5 * 3600)


def test_a_supplier_says_another_date_and_nothing_else(announced, recent, anna, sam, olga):
    said = {"said": "expected", "ref": "D-2", "house": "acme", "time": at(60), "amount": 70, "reason": "furnace"}
    answer = sam.post("/api/v1/deliveries/words", json=said)
    assert answer.status_code == 201, answer.text
    assert answer.json()["expected_by"] | {"id": "", "at": ""} == {
        "party": "maker",
        "at": "",
        "id": "",
        "event": False,
        "by": "sam",
    }
    seen = of(anna, "own", "D-2")
    assert (seen["expected"], seen["amount"], seen["announced_amount"], seen["reason"]) == (at(60), 70, 80, "furnace")
    assert seen["expected_by"]["by"] == "", "who of another company it was is not told"
    for client, change, status, code in (
        (olga, {}, 404, "delivery:unknown"),
        (olga, {"party": "maker"}, 403, "access:not-permitted"),
        (sam, {"ref": "nothing"}, 404, "delivery:unknown"),
        (sam, {"said": "came"}, 404, "delivery:unknown"),
        (sam, {"ref": "K-1"}, 404, "delivery:unknown"),
        (sam, {"house": "other"}, 404, "delivery:unknown"),
        (sam, {"reason": ""}, 400, "delivery:reason-missing"),
        (sam, {"time": None, "amount": None}, 400, "delivery:says-nothing"),
        (sam, {"amount": -1}, 400, "delivery:amount"),
        (sam, {"time": "soon"}, 400, "time:not-rfc3339"),
        (sam, {"said": "lost"}, 422, "request:invalid"),
    ):
        refused = client.post("/api/v1/deliveries/words", json=said | change)
        assert (refused.status_code, refused.json()["code"]) == (status, code), (change, refused.text)
    for other in (
        "/api/v1/registers/materials?party=acme",
        "/api/v1/deliveries?party=acme",
        "/api/v1/deliveries/not-matched?party=acme",
        "/api/v1/schedules?party=acme",
    ):
        assert sam.get(other).status_code == 403, other
    word = seen["expected_by"]["id"]
    assert anna.delete(f"/api/v1/deliveries/words/{word}").status_code == 404, "not the house's to take back"
    assert sam.delete(f"/api/v1/deliveries/words/{word}").status_code == 204
    assert of(anna, "own", "D-2")["expected"] is None
    assert sam.delete(f"/api/v1/deliveries/words/{word}").json()["code"] == "delivery:word-unknown"


def test_an_order_reaches_its_customer(announced, recent, anna, adam, mike):
    assert send(adam, event("shipping", "K-1", 12)).json()["not_matched"] == []
    assert (of(anna, "own", "K-1")["state"], of(mike, "of_others", "K-1")["state"]) == ("under-way", "under-way")
    came = mike.post(
        "/api/v1/deliveries/words", json={"said": "came", "ref": "K-1", "house": "acme", "time": at(21), "amount": 7}
    )
    assert came.status_code == 201, came.text
    assert (came.json()["state"], came.json()["late_s"]) == ("came", 3600)
    assert of(anna, "own", "K-1")["said"]["party"] == "maker"


def test_what_matches_nothing_is_listed_with_how_to_mend_it(announced, recent, anna, adam, olga):
    (fault,) = send(adam, event("receiving", "D-9", 3, eventID="urn:uuid:d9")).json()["not_matched"]
    assert fault["code"] == "delivery:unknown" and fault["hint"]
    listed = anna.get("/api/v1/deliveries/not-matched").json()["items"]
    assert [(n["id"], n["step"], n["fault"]["code"]) for n in listed] == [
        ("urn:uuid:d9", "receiving", "delivery:unknown")
    ]
    assert "D-9" in listed[0]["refs"] and olga.get("/api/v1/deliveries/not-matched").json() == {
        "items": [],
        "next": None,
    }
    anna.delete("/api/v1/deliveries/words/urn:uuid:d9").raise_for_status()
    assert anna.get("/api/v1/deliveries/not-matched").json() == {"items": [], "next": None}
