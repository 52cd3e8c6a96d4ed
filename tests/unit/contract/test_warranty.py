"""Clocks of warranty, and that a contract without one signs as before there were any."""

from __future__ import annotations

import msgspec
import pytest

from servitwin.domain.agreement import Acceptance, accepted_at
from servitwin.domain.canonical_json import canonical, digest
from servitwin.domain.contract import Warranty
from servitwin.domain.contract_period import warranty_end
from servitwin.domain.instant import format_instant, parse_instant
from servitwin.formats.contract_file import read_contract
from tests.unit.contract.samples import contract

FILE = """contract: c
version: 1
provider: maker
customer: plant
machines: [crane-1]
period: {from: 2026-01-01, to: 2027-01-01, time_zone: Europe/Helsinki}
currency: EUR
price: {fee: 100}
"""


def test_a_contract_without_warranty_has_the_digest_it_was_signed_by() -> None:
    before = canonical(contract())
    assert b"warranty" not in before
    assert b"reference" not in before
    with_one = msgspec.structs.replace(contract(), warranty=Warranty(24))
    assert digest(with_one) != digest(contract())
    assert b'"warranty":{"months":24}' in canonical(with_one)


@pytest.mark.parametrize(
    ("accepted", "months", "end"),
    [
        ("2026-03-10T12:00:00Z", 24, "2028-03-09T22:00:00Z"),  # local midnight in Helsinki
        ("2026-03-10T22:30:00Z", 12, "2027-03-10T22:00:00Z"),  # the next local day already
        ("2024-02-29T12:00:00Z", 12, "2025-02-27T22:00:00Z"),  # no 29th of February there
        ("2026-08-31T12:00:00Z", 6, "2027-02-27T22:00:00Z"),
    ],
)
def test_months_of_warranty_begin_with_the_acceptance(accepted: str, months: int, end: str) -> None:
    agreed = contract(acceptance="required", time_zone="Europe/Helsinki", warranty=Warranty(months))
    found = warranty_end(agreed, parse_instant(accepted))
    assert found is not None
    assert format_instant(found) == end
    assert warranty_end(agreed, None) is None
    given = contract(warranty=Warranty(1))
    assert warranty_end(given, None) == parse_instant("2026-02-01T00:00:00Z")
    assert warranty_end(contract(), parse_instant(accepted)) is None


def test_a_file_says_months_of_warranty() -> None:
    read, faults = read_contract(FILE + "warranty: {months: 24}\n")
    assert (faults, read.warranty if read else None) == ([], Warranty(24))
    for wrong in ("warranty: {months: 0}", "warranty: {}", "warranty: 24", "warranty: {months: 1.5}"):
        assert read_contract(FILE + wrong + "\n")[1], wrong


def test_both_accept_by_the_same_criteria() -> None:
    agreed = contract(acceptance="required")

    def step(number: int, party: str, terms: str, answer: str = "accepted") -> Acceptance:
        return Acceptance(agreed.id, "crane", number, party, "someone", number, answer, terms=terms)  # type: ignore[arg-type]

    assert accepted_at([step(1, "maker", "a"), step(2, "plant", "b")], agreed, "crane") is None
    assert accepted_at([step(1, "maker", "a"), step(2, "plant", "b"), step(3, "maker", "b")], agreed, "crane") == 3
    assert (
        accepted_at([step(1, "maker", "a"), step(2, "plant", "a"), step(3, "plant", "b", "refused")], agreed, "crane")
        == 2
    )
