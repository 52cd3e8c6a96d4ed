"""Renewals: what follows up what, by count and by fee, and that no fee is counted twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.agreement import Agreement, Signature
from servitwin.domain.contract import Contract, Price
from servitwin.domain.error import InvalidInputError
from servitwin.domain.follow_up import EndedContract, ended_contracts, terms_in_force, yearly_fee
from servitwin.domain.instant import DAY, parse_instant
from servitwin.usecases.count_renewals import Renewals, count_renewals
from tests.unit.contract.samples import contract

START, END = parse_instant("2026-01-01T00:00:00Z"), parse_instant("2028-01-01T00:00:00Z")
LATER = parse_instant("2029-01-01T00:00:00Z")


def term(id: str, start: str, end: str, fee: int | str = 48000, **more: Any) -> Contract:
    price = Price(Decimal(fee), more.pop("per", "year"))
    made = contract(id=id, start=start, end=end, price=price, **more)
    return made


def unguaranteed(made: Contract) -> Contract:
    return msgspec.structs.replace(made, guarantee=None)


def ended(*terms: Contract, known_at: int = LATER, days: int = 30) -> dict[str, EndedContract]:
    found = ended_contracts(terms, START, END, known_at=known_at, tolerance_days=days)
    return {e.contract: e for e in found}


OLD = term("old", "2026-01-01", "2027-01-01")


@pytest.mark.parametrize(
    ("begins", "days", "outcome"),
    [
        ("2027-01-01", 0, "renewed"),
        ("2027-01-02", 0, "churned"),
        ("2027-01-31", 30, "renewed"),
        ("2027-02-01", 30, "churned"),
        ("2026-12-02", 30, "renewed"),
        ("2026-12-01", 30, "churned"),
    ],
)
def test_a_follow_up_begins_at_the_end_or_within_the_tolerance(begins: str, days: int, outcome: str) -> None:
    assert ended(OLD, term("new", begins, "2028-02-01"), days=days)["old"].outcome == outcome


@pytest.mark.parametrize(
    "other",
    [
        {"machines": ("mill",)},
        {"customer": "rival"},
        {"provider": "rival"},
        {"end": "2027-01-01", "start": "2026-12-15"},  # ends no later
    ],
)
def test_another_machine_party_or_an_earlier_end_is_no_follow_up(other: dict[str, Any]) -> None:
    new = msgspec.structs.replace(term("new", "2027-01-01", "2028-06-01"), **other)
    assert ended(OLD, new)["old"].outcome == "churned"


def test_until_the_tolerance_is_over_it_is_open_and_in_no_percentage() -> None:
    end = parse_instant("2027-01-01T00:00:00Z")
    assert ended(OLD, known_at=end + 30 * DAY - 1)["old"].outcome == "open"
    assert ended(OLD, known_at=end + 30 * DAY)["old"].outcome == "churned"
    found = count([OLD], known_at=end)
    (total,) = found.totals
    assert (total.ended, total.open, total.before.amount, total.renewal_percent) == (1, 1, 0, None)
    assert ended(OLD, term("new", "2027-01-01", "2028-06-01"), known_at=end)["old"].outcome == "renewed"


def test_machines_go_on_one_by_one_and_fees_are_shared_among_them() -> None:
    old = term("old", "2026-01-01", "2027-01-01", 900, machines=("a", "b", "c"))
    one = term("one", "2027-01-01", "2028-06-01", 500, machines=("a", "x"))
    (found,) = ended(old, one).values()
    assert found.outcome == "partly"
    assert [(m.twin, str(m.before), m.follow_up, m.after and str(m.after)) for m in found.machines] == [
        ("a", "300.00 EUR", "one@1", "250.00 EUR"),
        ("b", "300.00 EUR", "", None),
        ("c", "300.00 EUR", "", None),
    ]
    (total,) = count([old, one]).totals
    # By count it goes on; of 900 a year 300 go on, and bring 250. The new machine x is new business.
    assert (total.renewal_percent, total.renewal_percent_by_fee) == (Decimal("100.0"), Decimal("33.3"))
    assert (total.net_retention_percent, total.gross_retention_percent) == (Decimal("27.8"), Decimal("27.8"))


def test_a_higher_fee_shows_in_net_and_not_in_gross_retention() -> None:
    more = term("more", "2027-01-01", "2028-06-01", 60000)
    lost = term("lost", "2026-03-01", "2027-03-01", 12000, machines=("mill",), customer="other")
    found = count([OLD, more, lost])
    by_customer = {c.customer: c for c in found.customers}
    assert by_customer["plant"].net_retention_percent == Decimal("125.0")
    assert by_customer["plant"].gross_retention_percent == Decimal("100.0")
    assert by_customer["other"].net_retention_percent == Decimal("0.0")
    (total,) = found.totals
    assert (total.renewed, total.churned, total.renewal_percent) == (1, 1, Decimal("50.0"))
    assert (str(total.before), str(total.after)) == ("60000.00 EUR", "60000.00 EUR")
    assert (total.net_retention_percent, total.gross_retention_percent) == (Decimal("100.0"), Decimal("80.0"))
    assert total.renewal_percent_by_fee == Decimal("80.0")


def test_one_follow_up_is_not_counted_for_two() -> None:
    monitoring = unguaranteed(term("monitoring", "2026-01-01", "2027-01-01", 1200))
    guaranteed = term("new", "2027-01-05", "2028-06-01")
    found = ended(OLD, monitoring, guaranteed)
    assert (found["old"].outcome, found["monitoring"].outcome) == ("renewed", "churned")
    # What begins nearest to the end is taken first, and the other way round of entering changes nothing.
    second = term("second", "2026-12-20", "2028-06-01", 100, rank=1)
    for order in ([OLD, guaranteed, second], [second, guaranteed, OLD]):
        (own,) = [e for e in ended(*order).values() if e.contract == "old"]
        assert own.machines[0].follow_up == "new@1"


def test_another_currency_counts_and_its_fee_is_compared_nowhere() -> None:
    crowns = term("new", "2027-01-01", "2028-06-01", 500_000, currency="SEK")
    (total,) = count([OLD, crowns]).totals
    assert (total.currency, total.renewed, total.other_currency) == ("EUR", 1, 1)
    assert (total.renewal_percent, total.net_retention_percent) == (Decimal("100.0"), None)


@pytest.mark.parametrize(
    ("per", "fee", "start", "end", "yearly"),
    [
        ("month", "1000.10", "2026-01-01", "2026-03-01", "12001.20"),
        ("quarter", "10", "2026-01-01", "2027-01-01", "40.00"),
        ("contract", "30000", "2026-01-01", "2029-01-01", "10000.00"),
        ("contract", "366", "2028-01-01", "2029-01-01", "366.00"),  # a leap year is a year
        ("contract", "100", "2026-01-01", "2026-03-15", "500.00"),  # 73 of 365 days
        ("contract", "200", "2024-02-29", "2026-03-01", "100.00"),
    ],
)
def test_fees_a_year(per: Any, fee: str, start: str, end: str, yearly: str) -> None:
    assert str(yearly_fee(term("c", start, end, fee, per=per))) == f"{yearly} EUR"


def test_only_what_both_signed_by_then_counts() -> None:
    signed, half = agreement(OLD, 10), agreement(term("half", "2027-01-01", "2028-01-01"), 10, ("maker",))
    assert terms_in_force([signed, half], 10) == [OLD]
    assert terms_in_force([signed, half], 9) == []


def test_a_version_replaces_the_one_before_or_follows_it() -> None:
    longer = term("old", "2026-01-01", "2027-07-01", version=2)
    assert terms_in_force([agreement(OLD), agreement(longer)], 10) == [longer]
    following = term("old", "2027-01-01", "2028-07-01", 50000, version=2)
    terms = terms_in_force([agreement(following), agreement(OLD)], 10)
    assert terms == [OLD, following]
    assert ended(*terms)["old"].machines[0].follow_up == "old@2"


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 18), st.integers(0, 5000)), min_size=1, max_size=8))
def test_each_follow_up_serves_one_contract(rows: list[tuple[int, int, int]]) -> None:
    terms = []
    for n, (begin, months, fee) in enumerate(rows):
        start, end = (f"{2026 + m // 12}-{m % 12 + 1:02}-01" for m in (begin, begin + months))
        terms.append(term(f"c{n}", start, end, fee))
    found = ended_contracts(terms, 0, LATER * 2, known_at=LATER * 2, tolerance_days=40)
    assert len(found) == len(terms)
    used = [m.follow_up for e in found for m in e.machines if m.follow_up]
    assert len(used) == len(set(used))
    assert all(e.machines[0].follow_up != f"{e.contract}@1" for e in found)


def test_a_tolerance_that_is_none_is_refused() -> None:
    for days in (-1, 367):
        with pytest.raises(InvalidInputError) as told:
            count([OLD], days=days)
        assert told.value.fault.code == "renewals:tolerance"


def agreement(made: Contract, at: int = 5, parties: tuple[str, ...] = ("maker", "plant", "other")) -> Agreement:
    signatures = tuple(Signature("sha256:x", p, "k", "s", "someone", at) for p in parties)
    return Agreement(made, "sha256:x", at, signatures)


def count(terms: list[Contract], known_at: int = LATER, days: int = 30) -> Renewals:
    return count_renewals([agreement(t) for t in terms], START, END, known_at=known_at, tolerance_days=days)
