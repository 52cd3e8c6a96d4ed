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
