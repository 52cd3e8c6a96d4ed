"""Bad input about contracts and money, over the API: each gets a clear answer, and nothing of it is kept or paid."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.stories.bound_contract import YAML, Sides, bound, settle
from tests.stories.test_guarantee import CONTRACT, PLANT, claim, decide_path, march
from tests.stories.waiting import Api

STOP = ("2026-03-10T06:00:00Z", "2026-03-10T22:00:00Z")  # sixteen hours, as SAID has it


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """For tests whose traces disturb no other of them; mill-9 has never said anything."""
    more = "  mill-9: {type: crane@1, owner: plant, commissioned: 2025-01-01}\n"
    with bound(tmp_path_factory.mktemp("sides"), PLANT + more) as found:
        yield found


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """For tests of a settled March."""
    with bound(tmp_path_factory.mktemp("settled")) as found:
        settle(found[1])
        yield found


WRONG_TERMS = [
    ("fee: 48000", "fee: -1", "file:out-of-range"),
    ("fee: 48000", "fee: 0", "contract:fee-zero"),
    ("fee: 48000", "fee: .nan", "file:"),
    ("fee: 48000", "fee: 1e400", "file:"),
    ("currency: EUR", "currency: EUX", "money:currency-unknown"),
    ("guarantee:", "partners: {soft: {share: 60}, rival: {share: 40.01}}\nguarantee:", "contract:shares-above-whole"),
    ("to: 2027-01-01", "to: 2026-01-01", "contract:period-reversed"),
    ("from: 2026-01-01", "from: 2026-02-29", "date:not-understood"),
    ("to: 2027-01-01", "to: 9999-12-31", "contract:period-out-of-range"),
    ("Europe/Helsinki", "Mars/Olympus", "contract:time-zone-unknown"),
    ("  settle: month", "  settle: month\n  rounding: {places: 77}", "file:out-of-range"),
]


def test_terms_that_cannot_be_are_refused_whole(sides: Sides) -> None:
    _, maker, _ = sides
    for old, new, code in WRONG_TERMS:
        text = CONTRACT.replace("contract: crane-98", "contract: other").replace(old, new)
        told = maker.ask("POST", "/contracts", 400, content=text, headers=YAML)
        assert any(f["code"].startswith(code) for f in told["faults"]), (new, told)
        assert all(f["line"] for f in told["faults"]), (new, told)
    assert [c["id"] for c in maker.get("/contracts")["items"]] == ["crane-98"]


def test_a_claim_longer_than_the_stop_takes_the_stop_alone(sides: Sides) -> None:
    _, maker, plant = sides
    claimed = claim(maker, "access_refused", "2026-03-08T00:00:00Z", "2026-03-12T00:00:00Z")
    plant.post(decide_path(claimed), {"answer": "accept"})
    seconds = march(maker)["machines"][0]["seconds"]
    # Of four days claimed the sixteen hours down are left out; running time stays available, service counts.
    assert (seconds["excluded"], seconds["unavailable"]) == (str(16 * 3600), str(5 * 3600))
    assert sum(int(s) for s in seconds.values()) == 743 * 3600, "March is an hour shorter in Helsinki"
    too_long = {"answer": "accept_part", "parts": [{"from": "2026-03-07T00:00:00Z", "to": "2026-03-13T00:00:00Z"}]}
    second = claim(maker, "access_refused", *STOP)
    assert plant.post(decide_path(second), too_long, 400)["code"] == "exclusion:part-outside"


def test_both_parties_decide_at_once_and_one_word_stands(sides: Sides) -> None:
    _, maker, plant = sides
    claimed = claim(maker, "access_refused", *STOP)
    path = decide_path(claimed)
    gate = threading.Barrier(2)

    def post(side: Api, answer: str) -> httpx.Response:
        gate.wait()
        return side.http.post(path, json={"answer": answer})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(post, (maker, plant), ("withdraw", "accept")))
    assert sorted(a.status_code for a in answers) == [200, 409], [a.text[:200] for a in answers]
    assert next(a for a in answers if a.status_code == 409).json()["code"] in {
        "exclusion:out-of-turn", "exclusion:decided",
    }  # fmt: skip
    (kept,) = (e for e in plant.get("/contracts/crane-98/exclusions")["items"] if e["id"] == claimed)
    assert len(kept["steps"]) == 1
    assert kept["status"] == ("withdrawn" if answers[0].status_code == 200 else "accepted")


def test_money_that_cannot_be_is_neither_paid_nor_booked(settled: Sides) -> None:
    _, maker, _ = settled
    invoice = maker.post("/contracts/crane-98/settlements/2026-03/invoices", {})["invoices"][0]
    pay = f"/invoices/{invoice['number']}/payments"
    for amount, code in (
        ("0", "payment:not-positive"),
        ("-5.00", "payment:not-positive"),
        ("0.001", "money:below-unit"),
        ("NaN", "money:amount-invalid"),
        ("1e30", "money:amount-invalid"),
        ("12,50", "money:amount-invalid"),
        ("", "money:amount-invalid"),
    ):
        assert maker.post(pay, {"amount": amount}, 400)["code"] == code, amount
    assert maker.post(pay, {"amount": "4000.01"}, 409)["code"] == "payment:exceeds-open"
    cost = {"contract": "crane-98", "kind": "visits", "amount": "640.00", "currency": "EUR", "text": "Brake"}
    for more, code in (
        ({"amount": "0"}, "ledger:amount-invalid"),
        ({"amount": "-1.00"}, "ledger:amount-invalid"),
        ({"amount": "0.005"}, "money:below-unit"),
        ({"amount": "0.5", "currency": "JPY"}, "money:below-unit"),
        ({"currency": "EURO"}, "money:currency-unknown"),
    ):
        assert maker.post("/ledger", {**cost, **more}, 400)["code"] == code, more
    booked = maker.post("/ledger", cost, 201)
    # Another currency stands by itself, is added to nothing, and takes nothing of this one back.
    maker.post("/ledger", {**cost, "currency": "SEK", "amount": "100.00"}, 201)
    back = {**cost, "currency": "SEK", "amount": "-100.00", "corrects": booked["id"]}
    assert maker.post("/ledger", back, 400)["code"] == "ledger:amount-invalid"
    rows = {r["currency"]: r for r in maker.get("/profit-and-loss")}
    assert (rows["EUR"]["visits"], rows["SEK"]["visits"], rows["SEK"]["revenue"]) == ("640.00", "100.00", "0.00")
    balances = maker.get("/ledger/balances")
    for currency in ("EUR", "SEK"):
        assert sum(float(own.get(currency, 0)) for own in balances.values()) == pytest.approx(0, abs=1e-9)


def test_a_settlement_altered_by_one_byte_is_refused_by_the_other_node(settled: Sides) -> None:
    node, maker, _ = settled
    content = maker.http.get("/contracts/crane-98/settlements/2026-03").content
    administrator = Api.of(node, Api.of(node).token("plant", "administrator")["token"])
    assert administrator.ask("POST", "/contracts/recompute", content=content)["ok"]
    at = content.index(b'"credit":"') + len(b'"credit":"')
    altered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert administrator.ask("POST", "/contracts/recompute", 400, content=altered)["code"] == "settlement:altered"
    for wrong in (b"", b"{}", b"[1]", content[:-20], b"\xff\xfe"):
        answer = administrator.http.post("/contracts/recompute", content=wrong)
        assert (answer.status_code, bool(answer.json()["code"])) == (400, True), (wrong[:20], answer.text[:200])


def test_a_machine_that_has_never_failed_or_never_spoken_has_an_honest_price(sides: Sides) -> None:
    node, maker, _ = sides
    Api.of(node).post("/grants", {"grantee": "maker", "action": "read", "twin": "mill-9", "grantor": "plant"}, 201)
    silent = CONTRACT.replace("crane-98", "mill").replace("[crane-1]", "[mill-9]")
    maker.ask("POST", "/contracts", 201, content=silent, headers=YAML)
    assert maker.ask("GET", "/contracts/mill/price?years=1000", 400)["code"] == "price:no-history"
    trial = maker.get("/contracts/mill/trial", **{"from": "2026-01-01", "to": "2026-03-01"})
    # Nobody learns that it ran: silence counts against the party that runs the telemetry, up to the cap.
    assert [m["rounded_percent"] for p in trial["periods"] for m in p["machines"]] == ["0", "0"]
    assert (trial["fee"], trial["credit"]) == ("8000.00", "800.00")
    # Before March it had not failed: how long a repair takes is not known, and a price of nothing would be a lie.
    query = {"from": "2026-01-02T00:00:00Z", "to": "2026-03-05T00:00:00Z", "years": 1000}
    told = maker.http.get("/contracts/crane-98/price", params=query)
    assert (told.status_code, told.json()["code"]) == (400, "price:no-repair"), told.text
    # One failure is priced, and says how little is known.
    found = maker.get("/contracts/crane-98/price", **{**query, "to": "2026-03-15T00:00:00Z"})
    assert found["up"]["failures"] == 1
    assert float(found["premium"]) > float(found["expected_credit"]) > 0
    assert any("Few failures" in note for note in found["notes"])


def test_leap_days_and_days_that_are_none(sides: Sides) -> None:
    _, maker, _ = sides
    leap = maker.get("/contracts/crane-98/trial", to="2024-02-29")
    assert (leap["from"][:10], leap["to"][:10]) == ("2023-02-27", "2024-02-28")  # local midnights, in UTC
    assert maker.ask("GET", "/contracts/crane-98/trial?to=2026-02-29", 400)["code"] == "date:not-understood"
    for day in ("0001-01-01", "9999-12-31"):  # no year before it, or beyond what can be kept
        told = maker.ask("GET", f"/contracts/crane-98/trial?to={day}", 400)
        assert (told["code"], told["where"]) == ("time:out-of-range", "to")


def test_a_machine_sold_in_the_middle_of_a_period_counts_for_its_party_alone(tmp_path: Path) -> None:
    sold = "[{party: plant, from: 2025-01-01, to: 2026-03-15}, {party: rival, from: 2026-03-15}]"
    with bound(tmp_path, PLANT.replace("owner: plant,", f"owner: {sold},"), 16 * 3600) as (_, maker, _):
        found = march(maker)
    assert any("belonged to rival" in note for note in found["notes"])
    # From 15 March 00:00 UTC to the end of Helsinki's March: 16 days, 21 hours that count for nobody.
    assert found["machines"][0]["seconds"]["outside"] == str(16 * 86_400 + 21 * 3600)
