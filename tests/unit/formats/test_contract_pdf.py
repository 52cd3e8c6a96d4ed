"""A contract as PDF says every term of the file, in words that can be read without the file."""

from __future__ import annotations

import io
from decimal import Decimal

import pypdf
import pytest

from servitwin.domain.agreement import Agreement, PartyKey, Signature
from servitwin.domain.canonical_json import digest
from servitwin.formats.contract_file import read_contract
from servitwin.formats.contract_pdf import contract_pdf
from tests.conftest import ROOT

CONTRACTS = sorted((ROOT / "examples" / "demo" / "contracts").glob("*.yaml"))


def agreement(text: str, *signers: str) -> Agreement:
    contract, faults = read_contract(text)
    assert contract is not None, faults
    whole = digest(contract)
    signatures = tuple(Signature(whole, party, f"key-of-{party}", "c2lnbmVk", party, 0) for party in signers)
    return Agreement(contract, whole, 0, signatures)


def words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split())


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda f: f.stem)
def test_every_term_of_the_demo_contracts_is_said(file) -> None:
    agreed = agreement(file.read_text("utf-8"))
    text = words(contract_pdf(agreed, []))
    contract = agreed.contract
    terms = contract.guarantee
    assert terms is not None
    assert text.startswith(f"Offer {contract.reference}")
    wanted = [
        contract.title,
        contract.provider,
        contract.customer,
        *contract.machines,
        f"{terms.level} %",
        terms.formula,
    ]
    wanted += [str(terms.deemed.days), terms.burden_of_proof, agreed.digest]
    wanted += [e.kind.replace("_", " ") for e in terms.exclusions] + [p.party for p in contract.partners]
    wanted += [c.name for c in contract.criteria]
    assert [w for w in wanted if w not in text] == []


def test_signatures_are_named_with_their_keys_and_make_a_contract_of_an_offer() -> None:
    source = CONTRACTS[1].read_text("utf-8")
    key = PartyKey("key-of-aurora", "aurora", "cHVibGlj", 0)
    both = words(contract_pdf(agreement(source, "aurora", "kivi"), [key]))
    assert both.startswith("Contract crane-98@1")
    assert "Ed25519 c2lnbmVk by the key key-of-aurora cHVibGlj" in both
    assert "kivi not signed" in words(contract_pdf(agreement(source, "aurora"), [key]))


PLAIN = """contract: c
version: 1
provider: maker
customer: plant
machines: [crane-1]
period: {from: 2026-01-01, to: 2027-01-01, time_zone: Europe/Helsinki}
currency: EUR
price: {fee: 100}
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("warranty: {months: 24}", "24 months of warranty, counted from the contract's first day, 2026-01-01."),
        (
            "warranty: {months: 1}\nacceptance: required",
            "1 month of warranty, counted from the local day on which both parties have accepted it.",
        ),
        ("rank: 3", "Rank 3: where two contracts hold"),
    ],
)
def test_warranty_and_rank_are_said(more: str, said: str) -> None:
    assert said in words(contract_pdf(agreement(f"{PLAIN}{more}\n"), []))
    plain = words(contract_pdf(agreement(PLAIN), []))
    assert "arranty" not in plain
    assert "Rank" not in plain


def test_terms_of_a_guarantee_that_are_easily_left_out_are_said() -> None:
    terms = """guarantee:
  level: 98
  credit: {form: stepped, step: 0.1, percent: 0.5, cap: 10}
  rounding: {places: 1, mode: down}
  crossing: first
  exclusions: [{kind: planned_work, budget_hours: 0}]
partners:
  lumo: {share: 1, levels: [{measure: accuracy, level: 0.5, unit: Cel, signals: [a.b], reference: a.probe, malus: 10}]}
"""
    text = words(contract_pdf(agreement(PLAIN + terms), []))
    wanted = (
        "rounded to 1 decimals (down)", "belongs whole to the contract in which it began",
        "planned work (up to 0 h a period)", "accuracy 0.5 Cel of a.b against a.probe",
    )  # fmt: skip
    for said in wanted:
        assert said in text, said


def test_tiers_escalation_and_liquidated_damages_are_said() -> None:
    mills = next(f for f in CONTRACTS if f.stem == "mills-m10").read_text("utf-8")
    text = words(contract_pdf(agreement(mills), []))
    wanted = (
        "A unit of operating hours up to 400 1.8 EUR", "A unit of operating hours above 400 1.2 EUR", "below 96 %: 8 %",
        "weighs 2 times the one before, 2 times at most", "at most, a period 2 000 EUR",
    )  # fmt: skip
    for said in wanted:
        assert said in text, said
    start = mills.index("  credit:")
    liquidated = mills[:start] + "  credit: {form: liquidated, rate: 40, meter: energy, unit: MWh, cap: 30}\n"
    found = agreement(liquidated + mills[mills.index("  gaps:") :])
    said = "(guaranteed / measured - 1) x output x 40 a unit of energy, at most 30 % of the fee"
    assert said in words(contract_pdf(found, []))
    assert found.contract.price.fee == Decimal(3200)
