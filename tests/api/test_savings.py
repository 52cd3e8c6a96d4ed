"""Savings over the API: what of a range is over and in force is counted, and contracts are read once for all."""

from contextlib import closing
from decimal import Decimal

import pytest
from api_node import Node

from servitwin.domain.agreement import Signature
from servitwin.domain.canonical_json import digest
from servitwin.domain.contract import Contract, Guarantee, Price, StepBand
from servitwin.domain.instant import format_instant, parse_instant
from servitwin.domain.ledger import LedgerEntry, Posting
from servitwin.domain.money import money
from servitwin.domain.savings import Baseline, Estimate

NOW = parse_instant("2026-09-21T12:00:00Z")
BANDS = StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))
CONTRACTS = {
    "runs": ("2026-01-01", "2027-01-01"),
    "ended": ("2025-01-01", "2026-01-01"),
    "coming": ("2026-12-01", "2027-12-01"),
}


def exactly(value):
    return Estimate(*[Decimal(value)] * 3)


def agree(records, id, start, end, machine="mill-1"):
    """A contract and its baseline, both signed by both parties before it began."""
    contract = Contract(
        id, 1, id.title(), "maker", "acme", (machine,), start, end, "UTC", "EUR", Price(Decimal(12000)),
        guarantee=Guarantee(Decimal(98), BANDS), acceptance="given",
    )  # fmt: skip
    baseline = Baseline(id, 1, "EUR", exactly(9000), exactly(100), exactly(20), exactly(500), "log of the plant")
    at = parse_instant("2024-12-01T00:00:00Z")
    records.add_contract(contract, digest(contract), at)
    records.add_baseline(baseline, at)
    for document in (contract, baseline):
        for party in ("maker", "acme"):
            records.add_signature(Signature(digest(document), party, "key", "signature", party, at))


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node(tmp_path_factory.mktemp("node"), now=lambda: NOW) as running:
        for id, (start, end) in CONTRACTS.items():
            agree(running.records, id, start, end)
        running.registry.reload()
        yield running


@pytest.fixture
def sam(node):
    with closing(node.browser("sam")) as client:
        yield client


def get(client, path, status=200, **params):
    answer = client.get(f"/api/v1{path}", params={"from": "2025-09-21T00:00:00Z", **params})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_end_of_a_range_is_cut_to_now(node, sam):
    value = get(sam, "/contracts/runs/value", to="2028-01-01T00:00:00Z")
    assert (value["from"], value["to"]) == ("2026-01-01T00:00:00Z", format_instant(NOW))
    assert value == get(sam, "/contracts/runs/value")
    coming = get(sam, "/contracts/coming/value", to="2028-01-01T00:00:00Z")
    assert (coming["from"], coming["to"]) == ("2025-09-21T00:00:00Z", format_instant(NOW))

    posted = tuple(Posting(a, money(m, "EUR")) for a, m in (("visits:runs", "500"), ("cash:maker", "-500")))
    node.records.add_entry(LedgerEntry("v1", NOW - 1, "cost", "runs", "maker", "acme", "A visit", "v1", posted))
    visited = get(sam, "/contracts/runs/value", to="2028-01-01T00:00:00Z")
    days = (NOW - parse_instant("2026-01-01T00:00:00Z")) / 86_400e9
    less = Decimal(value["saved"]) - Decimal(visited["saved"])
    assert visited["visits"] == 1 and float(less) == pytest.approx(500 * 365.25 / days, abs=0.02)


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ("/contracts/ended/value", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        ("/contracts/runs/value", "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z"),
        ("/contracts/runs/value", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("/contracts/coming/value", "2026-12-01T00:00:00Z", "2027-11-01T00:00:00Z"),
        ("/savings", "2026-10-01T00:00:00Z", "2027-11-01T00:00:00Z"),
    ],
)
def test_where_nothing_is_left_to_count_it_is_said(sam, path, start, end):
    told = get(sam, path, 400, **{"from": start, "to": end})
    assert (told["code"], told["where"]) == ("value:nothing-left", "from") and told["hint"]


def test_a_contract_that_has_not_begun_is_in_no_sum_though_the_range_reaches_beyond_its_beginning(sam):
    found = get(sam, "/savings", to="2027-06-01T00:00:00Z")
    assert found["to"] == format_instant(NOW)
    assert [(r["contract"], r["why"]) for r in found["items"]] == [("ended", None), ("runs", None)]
    assert [s["contracts"] for s in found["by_customer"]] == [["ended", "runs"]]
    (row,) = (r for r in found["items"] if r["contract"] == "runs")
    assert row["counted"]["saved"] == get(sam, "/contracts/runs/value")["saved"]


def test_contracts_are_read_once_however_many_there_are(node, sam, monkeypatch):
    for n in range(4):
        agree(node.records, f"more-{n}", "2026-01-01", "2027-01-01", "mill-2")
    read, times = node.records.contracts, []
    monkeypatch.setattr(node.records, "contracts", lambda *a: times.append(a) or read(*a))
    assert len(get(sam, "/savings")["items"]) == 6
    assert len(times) == 1
