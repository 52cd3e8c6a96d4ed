"""Contract files: what a good one says, and every fault of a bad one at its place."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.canonical_json import canonical, decimal_text, digest
from servitwin.domain.contract import Contract, LinearBand, StepBand
from servitwin.formats.contract_file import Around, read_contract

GOOD = """
contract: crane-98
version: 1
provider: maker
customer: plant
machines: [crane-1]
period: {from: 2026-01-01, to: 2027-01-01, time_zone: Europe/Helsinki}
currency: EUR
price: {fee: 48000.00}
guarantee:
  level: 97.9
  credit: {form: stepped, step: 0.1, percent: 0.5, cap: 10}
"""


def read(text: str) -> Contract:
    contract, faults = read_contract(text, "c.yaml")
    assert contract is not None, faults
    return contract


def test_decimals_are_what_was_written() -> None:
    contract = read(GOOD)
    assert contract.guarantee is not None
    assert (contract.guarantee.level, contract.price.fee) == (Decimal("97.9"), Decimal(48000))
    assert contract.guarantee.bands == StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))


def test_the_signed_form_spells_every_term_out_and_survives_storage() -> None:
    contract = read(GOOD)
    again = msgspec.json.decode(msgspec.json.encode(contract), type=Contract)
    assert digest(again) == digest(contract)
    for term in (b'"burden_of_proof":"provider"', b'"deemed":{"days":10', b'"crossing":"split"', b'"rank":0'):
        assert term in canonical(contract)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("to: 2027-01-01", "to: 2025-01-01"), "contract:period-reversed"),
        (("to: 2027-01-01", "to: 9999-12-31"), "contract:period-out-of-range"),
        (("from: 2026-01-01", "from: 0001-01-01"), "contract:period-out-of-range"),
        (("Europe/Helsinki", "Europe/Helsinky"), "contract:time-zone-unknown"),
        (("currency: EUR", "currency: EUX"), "money:currency-unknown"),
        (("customer: plant", "customer: maker"), "contract:one-party"),
        (("[crane-1]", "[crane-1, crane-1]"), "contract:machine-twice"),
        (("fee: 48000.00", "fee: -1"), "file:out-of-range"),
        (("fee: 48000.00", "fee: 0"), "contract:fee-zero"),
        (("level: 97.9", "level: 101"), "file:out-of-range"),
        (("level: 97.9", "level: 97.9\n  formula: m10"), "formula:unknown"),
        (("level: 97.9", "level: 97.9\n  formula: words@1"), "contract:words-missing"),
        ((", cap: 10", ""), "contract:band-incomplete"),
        (("form: stepped", "form: table"), "contract:band-incomplete"),
        (("step: 0.1", "step: 0"), "file:out-of-range"),
        (
            ("stepped, step: 0.1, percent: 0.5", "table, rungs: [{below: 97, percent: 1}, {below: 98, percent: 2}]"),
            "contract:rungs-out-of-order",
        ),
        (("guarantee:", "partners: {soft: {share: 60}, hard: {share: 41}}\nguarantee:"), "contract:shares-above-whole"),
        (("guarantee:", "partners: {soft: {share: 101}}\nguarantee:"), "file:out-of-range"),
        (("level: 97.9", "level: 97.9\n  exclusions: [{kind: material}, {kind: material}]"), "contract:ground-twice"),
        (("level: 97.9", "level: 97.9\n  exclusions: [{kind: moon}]"), "file:not-a-choice"),
        (("{fee: 48000.00}", "{fee: 1, usage: {parts: {rate: 1, tiers: [{rate: 1}]}}}"), "contract:rate-or-tiers"),
        (("{fee: 48000.00}", "{fee: 1, usage: {parts: {rate: 1, minimum: 9, cap: 1}}}"), "contract:cap-below-minimum"),
        (
            ("{fee: 48000.00}", "{fee: 1, usage: {parts: {tiers: [{rate: 1}, {up_to: 5, rate: 1}]}}}"),
            "contract:tiers-out-of-order",
        ),
        (("level: 97.9", "levle: 97.9"), "file:unknown-key"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_remedy(change: tuple[str, str], code: str) -> None:
    contract, faults = read_contract(GOOD.replace(*change), "c.yaml")
    assert contract is None
    assert code in {f.code for f in faults}, faults
    for fault in faults:
        assert fault.hint or fault.code.startswith("file:"), fault
        assert fault.file == "c.yaml"
        assert fault.line


def test_a_fee_that_cannot_be_read_is_one_fault_and_not_a_fee_of_nothing() -> None:
    _, faults = read_contract(GOOD.replace("fee: 48000.00", "fee: much"))
    assert [(f.code, f.where) for f in faults] == [("file:wrong-type", "price.fee")]


def test_parties_and_machines_must_exist_where_they_are_known() -> None:
    _, faults = read_contract(GOOD, around=Around({"maker", "plants"}, {"crane-11"}))
    assert [f.code for f in faults] == ["contract:party-unknown", "contract:machine-unknown"]
    assert "plants" in faults[0].hint
    assert "crane-11" in faults[1].hint


def test_every_form_is_read() -> None:
    text = GOOD.replace("stepped", "linear").replace("cap: 10}", "cap: 10, escalation: {factor: 2}}")
    guarantee = read(text).guarantee
    assert guarantee is not None
    assert isinstance(guarantee.bands, LinearBand)
    assert guarantee.bands.escalation is not None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_decimal_text_is_exact_and_unique(value: Decimal) -> None:
    text = decimal_text(value)
    assert Decimal(text) == value
    assert decimal_text(Decimal(text)) == text
    assert "E" not in text
