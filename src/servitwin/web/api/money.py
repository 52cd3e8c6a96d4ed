"""Usage, invoices and the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Body, Query, Response

from servitwin.domain.canonical_json import decimal_text, plain
from servitwin.domain.contract_period import period_chosen
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.invoice import Invoice
from servitwin.domain.ledger import LedgerEntry, balances
from servitwin.domain.money import Money, money
from servitwin.domain.open_item import OpenItem
from servitwin.domain.party import Actor
from servitwin.domain.usage import UsageRecord
from servitwin.formats.settlement_document import amount
from servitwin.usecases.measure_levels import Measured
from servitwin.usecases.meter_usage import MeterUsage
from servitwin.web.api.answers import answer, at, page_of, range_of, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import ContractParts, Contracts
from servitwin.web.api.results import books_of
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.money import (
    BilledShape,
    CostIn,
    EntryShape,
    InvoiceDetail,
    InvoiceSummary,
    PaymentIn,
    ServiceLevelShape,
    ShareShape,
    UsageEvent,
    UsageShape,
    UsageTakenShape,
)

router = router_of("money")
_YEAR = 366 * 86_400 * 10**9
Limit = Annotated[int, Query(ge=1, le=5000)]


# usage -------------------------------------------------------------------------------------------------------
@router.post("/usage", response_model=UsageTakenShape, status_code=202)
def send_usage(
    parts: Parts, contracts: Contracts, me: Me, events: Annotated[list[UsageEvent], Body(max_length=10_000)]
) -> Response:
    """Take usage records as CloudEvents; sent again they count once, contradicting ones are kept aside."""
    records = []
    checked: set[str] = set()
    for n, event in enumerate(events):
        if event.data.contract not in checked:
            contract = contracts.access.current(me, event.data.contract).contract
            contracts.access.require(me, "settle", contract)
            checked.add(contract.id)
        records.append(
            UsageRecord(
                event.source,
                event.id,
                event.data.contract,
                event.subject,
                event.data.meter,
                _decimal(event.data.quantity, f"[{n}].data.quantity"),
                time_of(event.time, f"[{n}].time"),
                event.data.unit,
            )
        )
    taken = MeterUsage(parts.records, parts.now).take(records)
    parts.audit.note(me, "usage.take", ",".join(sorted(checked))[:200], {"taken": taken.taken})
    return answer(taken, 202)


@router.get("/usage", response_model=Page[UsageShape])
def list_usage(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    contract: str,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
    limit: Limit = 1000,
    cursor: str | None = None,
) -> Response:
    """What was used under a contract; records that contradict an earlier one come last, with the reason."""
    agreed = contracts.access.current(me, contract).contract
    start, end = range_of(from_, to, parts.now(), _YEAR)
    found = [_usage(r, "") for r in parts.records.usage(agreed.id, start, end)]
    found += [_usage(c.record, c.message) for c in parts.records.usage_conflicts([agreed.id])]
    keyed = [(f"{n:09}", row) for n, row in enumerate(found)]
    page, following = page_of(keyed, limit, cursor, lambda k: k[0])
    return answer({"items": [row for _, row in page], "next": following})


# invoices ----------------------------------------------------------------------------------------------------
@router.post("/contracts/{id}/settlements/{period}/invoices", response_model=BilledShape)
def bill_settlement(parts: Parts, contracts: Contracts, me: Me, id: str, period: str) -> Response:
    """Invoice a settled period: fee, usage and bonus as an invoice, a missed guarantee as a credit note.

    The same settlement is billed once; of a corrected one only the difference.
    """
    billed = contracts.bill.bill(id, period, me)
    items = contracts.book.open_items(id)
    shares = {party: amount(share) for party, share in billed.shares.items()}
    return answer({"invoices": [_invoice(i, items) for i in billed.invoices], "shares": shares})


@router.get("/contracts/{id}/service-levels", response_model=list[ServiceLevelShape])
def read_service_levels(parts: Parts, contracts: Contracts, me: Me, id: str, period: str | None = None) -> Response:
    """What the partners of a contract owe, and whether they kept it: freshness, completeness, accuracy."""
    agreement = contracts.access.measured(me, id)
    chosen = period_chosen(agreement.contract, period, parts.now())
    found = contracts.levels.measure(agreement, chosen, parts.now())
    return answer([_level(m, chosen.id) for m in found])


@router.get("/shares", response_model=list[ShareShape])
def list_shares(contracts: Contracts, me: Me) -> Response:
    """What your party has as a partner of contracts that others made: its share, its levels, what was booked for it."""
    return answer(
        [
            {
                "contract": s.agreement.contract.id, "title": s.agreement.contract.title,
                "provider": s.agreement.contract.provider, "machines": s.agreement.contract.machines,
                "share_percent": decimal_text(s.term.share), "period": s.period.id,
                "levels": [_level(m, s.period.id) for m in s.levels],
                "booked": [{"at": at(b.at), "period": b.period, "amount": amount(b.amount)} for b in s.booked],
                "total": amount(s.total), "currency": s.agreement.contract.currency,
            }
            for s in contracts.shares.of(me)
        ]
    )  # fmt: skip


@router.get("/invoices", response_model=Page[InvoiceSummary])
def list_invoices(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    contract: str | None = None,
    limit: Limit = 200,
    cursor: str | None = None,
) -> Response:
    """Invoices and credit notes that your party sent or got, newest first."""
    found = [i for i in _readable(parts, contracts, me) if contract in (None, i.contract)]
    keyed = [(f"{n:09}", i) for n, i in enumerate(reversed(found))]
    page, following = page_of(keyed, limit, cursor, lambda k: k[0])
    shown = {i.contract for _, i in page}
    items = contracts.book.open_items_of([i for i in found if i.contract in shown])
    return answer({"items": [_invoice(i, items) for _, i in page], "next": following})


@router.get("/invoices/{number}", response_model=InvoiceDetail)
def read_invoice(parts: Parts, contracts: Contracts, me: Me, number: str, seller: str | None = None) -> Response:
    """An invoice with its lines and its tax."""
    invoice = _find(parts, contracts, me, number, seller)
    return answer(
        {
            **_invoice(invoice, contracts.book.open_items(invoice.contract)),
            "lines": [plain(entry) for entry in invoice.lines],
            "vat": [plain(entry) for entry in invoice.vat],
            "note": invoice.note,
            "seller_business": plain(invoice.seller),
            "buyer_business": plain(invoice.buyer),
        }
    )


@router.get(
    "/invoices/{number}/document",
    responses={200: {"content": {"application/xml": {}, "application/pdf": {}}, "description": "The document"}},
)
def read_invoice_document(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    number: str,
    form: Literal["ubl", "cii", "pdf"] = "pdf",
    seller: str | None = None,
) -> Response:
    """The invoice as EN 16931 document: UBL, CII, or PDF with the CII document inside (Factur-X)."""
    invoice = _find(parts, contracts, me, number, seller)
    name = f"{invoice.seller_party}-{invoice.number}.{'pdf' if form == 'pdf' else 'xml'}"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    if form == "pdf":
        from servitwin.formats.invoice_pdf import hybrid_pdf  # noqa: PLC0415  # only this answer needs it

        return Response(hybrid_pdf(invoice), media_type="application/pdf", headers=headers)
    from servitwin.formats.invoice_cii import cii  # noqa: PLC0415  # as above
    from servitwin.formats.invoice_ubl import ubl  # noqa: PLC0415  # as above

    return Response(ubl(invoice) if form == "ubl" else cii(invoice), media_type="application/xml", headers=headers)


@router.post("/invoices/{number}/payments", response_model=EntryShape, status_code=201)
def book_payment(
    parts: Parts, contracts: Contracts, me: Me, number: str, body: PaymentIn, seller: str | None = None
) -> Response:
    """Book a payment of an invoice, or that a credit note was paid back; never more than is open."""
    invoice = _find(parts, contracts, me, number, seller)
    paid = money(body.amount, invoice.currency)
    return answer(_entry(contracts.book.payment(invoice, paid, body.reference, me)), 201)


# ledger ------------------------------------------------------------------------------------------------------
@router.get("/ledger", response_model=Page[EntryShape])
def list_entries(
    parts: Parts,
    me: Me,
    contract: str | None = None,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
    limit: Limit = 500,
    cursor: str | None = None,
) -> Response:
    """Entries of your party's books, oldest first."""
    start, end = range_of(from_, to, parts.now() + 1, _YEAR)
    found = parts.records.entries([books_of(parts, me)], start, end, contract or "")
    keyed = [(f"{n:09}", e) for n, e in enumerate(found)]
    page, following = page_of(keyed, limit, cursor, lambda k: k[0])
    return answer({"items": [_entry(e) for _, e in page], "next": following})


@router.post("/ledger", response_model=EntryShape, status_code=201)
def book_cost(contracts: Contracts, me: Me, body: CostIn) -> Response:
    """Book a cost of a contract; a negative amount with `corrects` takes one back."""
    entry = contracts.book.cost(
        body.contract, body.kind, money(body.amount, body.currency), me,
        text=body.text, cause=body.cause, corrects=body.corrects,
    )  # fmt: skip
    return answer(_entry(entry), 201)


@router.get("/ledger/balances", response_model=dict[str, dict[str, str]])
def read_balances(parts: Parts, me: Me, to: str | None = None) -> Response:
    """Balance of each account of your party's books; all of them together are zero in each currency."""
    end = parts.now() + 1 if to is None else time_of(to, "to")
    found = balances(parts.records.entries([books_of(parts, me)], 0, end))
    return answer({a: {c: amount(m) for c, m in own.items()} for a, own in sorted(found.items())})


def _readable(parts: Parts, contracts: ContractParts, me: Actor) -> list[Invoice]:
    own = {a.contract.id for a in contracts.access.all_of(me)}
    party = me.party or parts.authoriser.operator()
    return [i for i in parts.records.invoices(party) if i.contract in own]


def _find(parts: Parts, contracts: ContractParts, me: Actor, number: str, seller: str | None) -> Invoice:
    for invoice in _readable(parts, contracts, me):
        if invoice.number == number and seller in (None, invoice.seller_party):
            return invoice
    raise NotFoundError(
        Fault("invoice:unknown", f"There is no invoice {number[:40]!r}", "GET /api/v1/invoices lists yours", "number")
    )


def _invoice(i: Invoice, items: dict[tuple[str, str], OpenItem]) -> dict[str, Any]:
    item = items[i.seller_party, i.number]
    return {
        "number": i.number, "seller": i.seller_party, "buyer": i.buyer_party, "type": i.type, "issued": i.issued,
        "due": i.due, "contract": i.contract, "from": i.start, "to": i.end, "net": amount(i.net),
        "tax": amount(i.tax), "total": amount(i.total), "currency": i.currency, "credits": i.credits,
        "cause": i.cause, "settled": amount(item.paid), "offset": amount(item.offset), "open": amount(item.open),
        "paid": item.open.amount <= 0, "credited_by": item.credited_by,
    }  # fmt: skip


def _level(m: Measured, period: str) -> dict[str, Any]:
    return {
        "party": m.party, "period": period, "measure": m.measure, "level": decimal_text(m.level), "unit": m.unit,
        "percent": None if m.percent is None else decimal_text(m.percent), "needed": decimal_text(m.needed),
        "kept": m.kept, "worst": m.worst, "malus_percent": decimal_text(m.malus),
    }  # fmt: skip


def _entry(e: LedgerEntry) -> dict[str, Any]:
    return {
        "id": e.id, "at": at(e.at), "kind": e.kind, "contract": e.contract, "customer": e.customer, "text": e.text,
        "cause": e.cause, "corrects": e.corrects,
        "postings": [
            {"account": p.account, "amount": _exact(p.amount), "currency": p.amount.currency} for p in e.postings
        ],
    }  # fmt: skip


def _usage(r: UsageRecord, conflict: str) -> dict[str, Any]:
    return {
        "source": r.source, "id": r.id, "contract": r.contract, "twin": r.twin, "meter": r.meter,
        "quantity": decimal_text(r.quantity), "unit": r.unit, "at": at(r.at), "conflict": conflict,
    }  # fmt: skip


def _exact(value: Money) -> str:
    return f"{value.amount:f}"


def _decimal(text: str, where: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise InvalidInputError(
            Fault("usage:quantity-invalid", f"{text[:40]!r} is no quantity", 'Write it like "12.5"', where)
        ) from None
