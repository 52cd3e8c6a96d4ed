"""Invoices and credit notes as UBL 2.1 (OASIS) in the subset of EN 16931 (CEN/TS 16931-3-2)."""

from __future__ import annotations

from decimal import Decimal

from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.invoice import Invoice, InvoiceLine, VatLine, VatTreatment
from servitwin.domain.money import Money
from servitwin.domain.party import Business
from servitwin.formats.xml_tree import Element, document

_SPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_PROFILE = "urn:cen.eu:en16931:2017"


def ubl(invoice: Invoice) -> bytes:
    """The invoice as XML."""
    credit = invoice.type == "381"
    root = "CreditNote" if credit else "Invoice"
    kind = "cbc:CreditNoteTypeCode" if credit else "cbc:InvoiceTypeCode"
    outside = any(v.treatment.category == "O" for v in invoice.vat)
    children: list[Element | None] = [
        ("cbc:CustomizationID", _PROFILE),
        ("cbc:ID", invoice.number),
        ("cbc:IssueDate", invoice.issued),
        None if credit else ("cbc:DueDate", invoice.due),
        (kind, invoice.type),
        ("cbc:Note", invoice.note),
        ("cbc:DocumentCurrencyCode", invoice.currency),
        ("cbc:BuyerReference", invoice.contract),
        ("cac:InvoicePeriod", [("cbc:StartDate", invoice.start), ("cbc:EndDate", invoice.end)]),
        ("cac:BillingReference", [("cac:InvoiceDocumentReference", [("cbc:ID", invoice.credits)])])
        if invoice.credits
        else None,
        ("cac:ContractDocumentReference", [("cbc:ID", invoice.contract)]),
        ("cac:AccountingSupplierParty", [_party(invoice.seller, outside=outside)]),
        ("cac:AccountingCustomerParty", [_party(invoice.buyer, outside=outside)]),
        _payment(invoice, credit=credit),
        ("cac:PaymentTerms", [("cbc:Note", f"Due {invoice.due}")]),
        ("cac:TaxTotal", [_money("cbc:TaxAmount", invoice.tax), *(_subtotal(v) for v in invoice.vat)]),
        (
            "cac:LegalMonetaryTotal",
            [
                _money("cbc:LineExtensionAmount", invoice.net),
                _money("cbc:TaxExclusiveAmount", invoice.net),
                _money("cbc:TaxInclusiveAmount", invoice.total),
                _money("cbc:PayableAmount", invoice.total),
            ],
        ),
        *(_line(number, entry, credit=credit) for number, entry in enumerate(invoice.lines, 1)),
    ]
    return document(root, children, _SPACES, f"urn:oasis:names:specification:ubl:schema:xsd:{root}-2")


def _party(business: Business, *, outside: bool) -> Element:
    vat = None if outside or not business.vat_id else business.vat_id
    # An invoice outside the scope of VAT names no VAT numbers (BR-O-02); the register's number identifies (BR-CO-26).
    company = business.company_id or business.vat_id
    return (
        "cac:Party",
        [
            ("cbc:EndpointID", business.email, {"schemeID": "EM"}) if business.email else None,
            ("cac:PartyName", [("cbc:Name", business.name)]),
            (
                "cac:PostalAddress",
                [
                    ("cbc:StreetName", business.street),
                    ("cbc:CityName", business.city),
                    ("cbc:PostalZone", business.postcode),
                    ("cac:Country", [("cbc:IdentificationCode", business.country)]),
                ],
            ),
            None
            if vat is None
            else ("cac:PartyTaxScheme", [("cbc:CompanyID", vat), ("cac:TaxScheme", [("cbc:ID", "VAT")])]),
            ("cac:PartyLegalEntity", [("cbc:RegistrationName", business.name), ("cbc:CompanyID", company)]),
        ],
    )


def _payment(invoice: Invoice, *, credit: bool) -> Element | None:
    if credit or not invoice.seller.iban:
        return None
    return (
        "cac:PaymentMeans",
        [
            ("cbc:PaymentMeansCode", "58"),
            ("cbc:PaymentID", invoice.number),
            ("cac:PayeeFinancialAccount", [("cbc:ID", invoice.seller.iban)]),
        ],
    )


def _subtotal(vat: VatLine) -> Element:
    return (
        "cac:TaxSubtotal",
        [
            _money("cbc:TaxableAmount", vat.taxable),
            _money("cbc:TaxAmount", vat.tax),
            _category("cac:TaxCategory", vat.treatment, reasons=True),
        ],
    )


def _category(name: str, vat: VatTreatment, *, reasons: bool) -> Element:
    rate = None if vat.category == "O" else ("cbc:Percent", decimal_text(vat.rate))
    code = ("cbc:TaxExemptionReasonCode", vat.reason_code) if reasons else None
    reason = ("cbc:TaxExemptionReason", vat.reason) if reasons else None
    return (name, [("cbc:ID", vat.category), rate, code, reason, ("cac:TaxScheme", [("cbc:ID", "VAT")])])


def _line(number: int, entry: InvoiceLine, *, credit: bool) -> Element:
    quantity = "cbc:CreditedQuantity" if credit else "cbc:InvoicedQuantity"
    return (
        "cac:CreditNoteLine" if credit else "cac:InvoiceLine",
        [
            ("cbc:ID", str(number)),
            (quantity, decimal_text(entry.quantity), {"unitCode": entry.unit}),
            _money("cbc:LineExtensionAmount", entry.net),
            (
                "cac:Item",
                [
                    ("cbc:Name", entry.text),
                    _item(entry.item),
                    _category("cac:ClassifiedTaxCategory", entry.vat, reasons=False),
                ],
            ),
            ("cac:Price", [("cbc:PriceAmount", _price(entry.price), {"currencyID": entry.net.currency})]),
        ],
    )


def _item(item: str) -> Element | None:
    return ("cac:SellersItemIdentification", [("cbc:ID", item)]) if item else None


def _money(name: str, money: Money) -> Element:
    return (name, f"{money.rounded().amount:f}", {"currencyID": money.currency})


def _price(value: Decimal) -> str:
    return decimal_text(value)
