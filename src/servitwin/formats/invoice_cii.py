"""Invoices and credit notes as UN/CEFACT Cross Industry Invoice (D16B) in the subset of EN 16931 (CEN/TS 16931-3-3)."""

from __future__ import annotations

from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.invoice import Invoice, InvoiceLine, VatLine
from servitwin.domain.money import Money
from servitwin.domain.party import Business
from servitwin.formats.xml_tree import Element, document

_SPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_PROFILE = "urn:cen.eu:en16931:2017"


def cii(invoice: Invoice) -> bytes:
    """The invoice as XML."""
    outside = any(v.treatment.category == "O" for v in invoice.vat)
    children: list[Element | None] = [
        (
            "rsm:ExchangedDocumentContext",
            [("ram:GuidelineSpecifiedDocumentContextParameter", [("ram:ID", _PROFILE)])],
        ),
        (
            "rsm:ExchangedDocument",
            [
                ("ram:ID", invoice.number),
                ("ram:TypeCode", invoice.type),
                ("ram:IssueDateTime", [_day("udt:DateTimeString", invoice.issued)]),
                ("ram:IncludedNote", [("ram:Content", invoice.note)]) if invoice.note else None,
            ],
        ),
        (
            "rsm:SupplyChainTradeTransaction",
            [
                *(_line(number, entry) for number, entry in enumerate(invoice.lines, 1)),
                (
                    "ram:ApplicableHeaderTradeAgreement",
                    [
                        ("ram:BuyerReference", invoice.contract),
                        ("ram:SellerTradeParty", _party(invoice.seller, outside=outside)),
                        ("ram:BuyerTradeParty", _party(invoice.buyer, outside=outside)),
                        ("ram:ContractReferencedDocument", [("ram:IssuerAssignedID", invoice.contract)]),
                    ],
                ),
                (
                    "ram:ApplicableHeaderTradeDelivery",
                    [
                        (
                            "ram:ActualDeliverySupplyChainEvent",
                            [("ram:OccurrenceDateTime", [_day("udt:DateTimeString", invoice.end)])],
                        )
                    ],
                ),
                ("ram:ApplicableHeaderTradeSettlement", _settlement(invoice)),
            ],
        ),
    ]
    return document("rsm:CrossIndustryInvoice", children, _SPACES)


def _settlement(invoice: Invoice) -> list[Element | None]:
    return [
        ("ram:PaymentReference", invoice.number),
        ("ram:InvoiceCurrencyCode", invoice.currency),
        (
            "ram:SpecifiedTradeSettlementPaymentMeans",
            [
                ("ram:TypeCode", "58"),
                ("ram:PayeePartyCreditorFinancialAccount", [("ram:IBANID", invoice.seller.iban)]),
            ],
        )
        if invoice.seller.iban and invoice.type == "380"
        else None,
        *(_tax(v) for v in invoice.vat),
        (
            "ram:BillingSpecifiedPeriod",
            [
                ("ram:StartDateTime", [_day("udt:DateTimeString", invoice.start)]),
                ("ram:EndDateTime", [_day("udt:DateTimeString", invoice.end)]),
            ],
        ),
        (
            "ram:SpecifiedTradePaymentTerms",
            [
                ("ram:Description", f"Due {invoice.due}"),
                ("ram:DueDateDateTime", [_day("udt:DateTimeString", invoice.due)]),
            ],
        ),
        (
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
            [
                ("ram:LineTotalAmount", _amount(invoice.net)),
                ("ram:TaxBasisTotalAmount", _amount(invoice.net)),
                ("ram:TaxTotalAmount", _amount(invoice.tax), {"currencyID": invoice.currency}),
                ("ram:GrandTotalAmount", _amount(invoice.total)),
                ("ram:DuePayableAmount", _amount(invoice.total)),
            ],
        ),
        ("ram:InvoiceReferencedDocument", [("ram:IssuerAssignedID", invoice.credits)]) if invoice.credits else None,
    ]


def _party(business: Business, *, outside: bool) -> list[Element | None]:
    company = business.company_id or business.vat_id
    return [
        ("ram:Name", business.name),
        ("ram:SpecifiedLegalOrganization", [("ram:ID", company)]) if company else None,
        (
            "ram:PostalTradeAddress",
            [
                ("ram:PostcodeCode", business.postcode),
                ("ram:LineOne", business.street),
                ("ram:CityName", business.city),
                ("ram:CountryID", business.country),
            ],
        ),
        ("ram:URIUniversalCommunication", [("ram:URIID", business.email, {"schemeID": "EM"})])
        if business.email
        else None,
        ("ram:SpecifiedTaxRegistration", [("ram:ID", business.vat_id, {"schemeID": "VA"})])
        if business.vat_id and not outside
        else None,
    ]


def _tax(vat: VatLine) -> Element:
    treatment = vat.treatment
    return (
        "ram:ApplicableTradeTax",
        [
            ("ram:CalculatedAmount", _amount(vat.tax)),
            ("ram:TypeCode", "VAT"),
            ("ram:ExemptionReason", treatment.reason),
            ("ram:BasisAmount", _amount(vat.taxable)),
            ("ram:CategoryCode", treatment.category),
            ("ram:ExemptionReasonCode", treatment.reason_code),
            None if treatment.category == "O" else ("ram:RateApplicablePercent", decimal_text(treatment.rate)),
        ],
    )


def _line(number: int, entry: InvoiceLine) -> Element:
    rate = None if entry.vat.category == "O" else ("ram:RateApplicablePercent", decimal_text(entry.vat.rate))
    article = ("ram:SellerAssignedID", entry.item) if entry.item else None
    return (
        "ram:IncludedSupplyChainTradeLineItem",
        [
            ("ram:AssociatedDocumentLineDocument", [("ram:LineID", str(number))]),
            ("ram:SpecifiedTradeProduct", [article, ("ram:Name", entry.text)]),
            (
                "ram:SpecifiedLineTradeAgreement",
                [("ram:NetPriceProductTradePrice", [("ram:ChargeAmount", decimal_text(entry.price))])],
            ),
            (
                "ram:SpecifiedLineTradeDelivery",
                [("ram:BilledQuantity", decimal_text(entry.quantity), {"unitCode": entry.unit})],
            ),
            (
                "ram:SpecifiedLineTradeSettlement",
                [
                    (
                        "ram:ApplicableTradeTax",
                        [("ram:TypeCode", "VAT"), ("ram:CategoryCode", entry.vat.category), rate],
                    ),
                    (
                        "ram:SpecifiedTradeSettlementLineMonetarySummation",
                        [("ram:LineTotalAmount", _amount(entry.net))],
                    ),
                ],
            ),
        ],
    )


def _day(name: str, day: str) -> Element:
    return (name, day.replace("-", ""), {"format": "102"})


def _amount(money: Money) -> str:
    return f"{money.rounded().amount:f}"
