"""Settlements as PDF: what was agreed, measured, left out and why, in words that a lawyer can read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from servitwin.domain.contract import Guarantee
from servitwin.formats.contract_pdf import guarantee_words
from servitwin.formats.pdf_page import LEFT, LINE, RIGHT, PdfPage, grouped
from servitwin.formats.settlement_document import Document

_RULES = {
    "formula": "by the formula",
    "words": "by the machine's own words",
    "responsible-party": "by the responsible party",
    "burden-of-proof": "nobody is named: burden of proof",
    "reason-claimed-only": "the reason or work order favours its author: burden of proof",
    "gap": "by the rule for time without data",
    "gap-against-its-loser": "no data: against the party that lost them",
    "exclusion": "accepted claim",
    "budget-spent": "claim beyond its budget of hours",
    "not-planned": "not planned",
    "not-yet": "still to come",
    "clock-not-started": "machine not accepted yet",
    "other-contract": "another contract or owner",
}
_CATEGORIES = {
    "available": "available",
    "unavailable": "unavailable",
    "excluded": "left out",
    "not_counted": "not counted by the formula",
    "outside": "outside",
}
_LISTED = 400


def settlement_pdf(document: Document) -> bytes:
    """The settlement as PDF; every stretch that is not plainly available is listed with its rule."""
    terms = document["inputs"]["contract"]
    page = PdfPage(f"Settlement {document['digest']}")
    page.text(LEFT, "Settlement", 15, bold=True)
    page.text(RIGHT, f"{document['contract']}, {document['period']['id']}", 12, bold=True, right=True)
    page.down(2)
    page.paragraph(
        f"{terms['provider']} (provider) and {terms['customer']} (customer) agreed {terms['title']}. This settles "
        f"{document['period']['from']} to {document['period']['to']} as known at {document['known_at']}, "
        f"revision {document['revision']}."
    )
    if document["corrects"]:
        page.paragraph(f"It corrects the settlement {document['corrects']}, which stays as it was.")
    _terms(page, terms)
    for machine in document["machines"]:
        _machine(page, machine, document)
    _sums(page, document)
    _claims(page, document)
    for machine in document["machines"]:
        _stretches(page, machine)
    page.down()
    page.paragraph(
        "Anybody can compute this settlement again from the settlement file and the observations that it names, "
        "without the server that made it: servitwin verify SETTLEMENT.json --observations FILE. Trust ends at the "
        "machine's gateway and clock.",
        8.5,
        soft=True,
    )
    return page.content()


def _terms(page: PdfPage, terms: Any) -> None:
    page.down(0.5)
    page.text(LEFT, "Terms", 11, bold=True)
    page.down()
    for sentence in guarantee_words(msgspec.convert(terms["guarantee"], Guarantee, strict=False)):
        page.paragraph(sentence)


def _machine(page: PdfPage, machine: Document, document: Document) -> None:
    page.down(0.5)
    page.text(LEFT, machine["twin"], 11, bold=True)
    value = machine["rounded_percent"]
    page.text(RIGHT, "undefined" if value is None else f"{value} %", 11, bold=True, right=True)
    page.down()
    for name, title in _CATEGORIES.items():
        seconds = Decimal(machine["seconds"][name])
        if seconds:
            page.row([(LEFT, title, False), (RIGHT, f"{_hours(seconds)} h", True)])
    currency = document["currency"]
    rows = [
        ("available over counted time", f"{_hours(machine['available_s'])} h / {_hours(machine['counted_s'])} h"),
        ("exact percent", machine["percent"] or "undefined"),
        ("missed", f"{machine['missed_percent']} %"),
        ("credit", f"{machine['credit']} {currency} ({machine['credit_percent']} % of {machine['fee']} {currency})"),
        ("bonus", f"{machine['bonus']} {currency}"),
        ("in dispute", f"{machine['disputed']} {currency}"),
    ]
    for name, text in rows:
        page.row([(LEFT, name, False), (RIGHT, text, True)])
    if machine["capped"]:
        page.row([(LEFT, "the cap of the contract cut the credit", False)], soft=True)


def _sums(page: PdfPage, document: Document) -> None:
    page.y += 0.4 * LINE
    page.rule()
    for name, key in (("Fee", "fee"), ("Credit", "credit"), ("Bonus", "bonus"), ("Payable", "payable")):
        page.text(LEFT, name, 10, bold=True)
        page.text(RIGHT, f"{grouped(Decimal(document[key]))} {document['currency']}", 10, bold=True, right=True)
        page.down()


def _claims(page: PdfPage, document: Document) -> None:
    claims = document["inputs"].get("claims", [])
    if not claims:
        return
    page.down(0.5)
    page.text(LEFT, "Claims and decisions", 11, bold=True)
    page.down()
    for claim, steps in claims:
        said = ", ".join(f"{s['party']}: {s['answer'].replace('_', ' ')}" for s in steps) or "no answer"
        page.paragraph(
            f"{claim['id']}: {claim['proposer']} claims {claim['kind'].replace('_', ' ')} of {claim['twin']}. {said}"
        )


def _stretches(page: PdfPage, machine: Document) -> None:
    found = [i for i in machine["intervals"] if i["category"] != "available"]
    page.down(0.5)
    page.text(LEFT, f"{machine['twin']}: time that is not available, and why", 11, bold=True)
    page.down()
    columns = (LEFT, LEFT + 118, LEFT + 236, LEFT + 330)
    page.row(
        list(zip(columns, ("from (UTC)", "to (UTC)", "state", "counts as"), (False,) * 4, strict=True)), 8, soft=True
    )
    for one in found[:_LISTED]:
        why = _RULES.get(one["rule"], one["rule"])
        more = " ".join(one[k] for k in ("ground", "said", "party") if k in one)
        texts = (one["from"][:22], one["to"][:22], f"{one['state']} {one.get('cause', '')}"[:24])
        counts = f"{_CATEGORIES[one['category']]}: {why} {more}".strip()[:52]
        page.row(list(zip(columns, (*texts, counts), (False,) * 4, strict=True)), 7)
    if len(found) > _LISTED:
        page.paragraph(f"{len(found) - _LISTED} more are in the settlement file.", 8, soft=True)


def _hours(seconds: Decimal | str) -> str:
    return f"{Decimal(seconds) / 3600:.4f}"
