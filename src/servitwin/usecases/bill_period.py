"""Bill a settled period: invoice and credit note, postings, partners' shares; the same settlement is billed once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period, fee_of, period_of
from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import HOUR, format_instant, parse_instant
from servitwin.domain.invoice import Invoice, InvoiceLine, VatTreatment, line, totals
from servitwin.domain.ledger import LedgerEntry, Posting, balanced
from servitwin.domain.money import Money, split, zero
from servitwin.domain.party import Actor, Business
from servitwin.domain.tariff import price_of
from servitwin.domain.usage import UsageRecord
from servitwin.formats.settlement_document import Document
from servitwin.formats.vat import damages, treatment
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.measure_levels import MeasureLevels, shares_after
from servitwin.usecases.meter_usage import MeterUsage
from servitwin.usecases.ports import Records
from servitwin.usecases.settle_period import SettlePeriod

_UNITS = {"operating_hours": "HUR", "hours": "HUR"}
_SOURCE = "servitwin:time-of-state"


class Billed(msgspec.Struct, frozen=True):
    """The documents of a settlement."""

    invoices: tuple[Invoice, ...]
    shares: dict[str, Money]


class BillPeriod:
    """Makes the documents and postings of a settlement, in one transaction."""

    def __init__(
        self,
        records: Records,
        access: ContractAccess,
        settle: SettlePeriod,
        levels: MeasureLevels,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._access = access
        self._settle = settle
        self._levels = levels
        self._audit = audit
        self._now = now
        self._new_id = new_id

    def bill(self, id: str, period_id: str, actor: Actor) -> Billed:
        """Bill the last settlement of a period.

        Of a corrected settlement only the difference is billed: more credit is a credit note, less is an invoice.

        Raises:
            NotFoundError: ``settlement:unknown``.
            InvalidInputError: ``invoice:business-missing`` where a party has no address.
        """
        agreement = self._access.current(actor, id)
        contract = agreement.contract
        self._access.require(actor, "settle", contract)
        period = period_of(contract, period_id)
        settlement = self._settle.settlement(contract.id, period.id)
        cause = settlement["digest"]
        shares = self._shares(agreement, period, settlement)
        # Looked up inside, so that of two who bill at once one finds the other's invoices.
        with self._records.together(alone=f"bill {contract.id}"):
            present = self._records.invoices(contract=contract.id, cause=cause)
            if present:
                return Billed(tuple(present), shares)
            self._meter(agreement, period, settlement)
            made = self._documents(contract, period, settlement)
            self._share_out(contract, period, shares)
        numbers = [i.number for i in made]
        self._audit.note(actor, "invoice.issue", contract.id, {"period": period.id, "numbers": numbers})
        return Billed(tuple(made), shares)

    def _documents(self, contract: Contract, period: Period, settlement: Document) -> list[Invoice]:
        seller, buyer = self._business(contract.provider), self._business(contract.customer)
        issued = format_instant(self._now())[:10]
        vat = treatment(seller, buyer, issued)
        earlier = self._billed_before(contract, period, settlement)
        nothing = zero(contract.currency)
        lines = [] if earlier else self._fee(contract, period, vat)
        back: list[InvoiceLine] = []
        for meter, quantity, change in self._usage(contract, period):
            whole = change if change.amount > 0 else -change
            text, unit = f"{meter.replace('_', ' ')}, {period.id}", _UNITS.get(meter, "C62")
            (lines if change.amount > 0 else back).append(line(text, quantity, unit, whole, vat, meter))
        bonus = _money(settlement["bonus"], contract) - earlier.get("bonus", nothing)
        credit = _money(settlement["credit"], contract) - earlier.get("credit", nothing)
        if bonus.amount > 0:
            lines.append(line(f"Bonus for exceeded availability, {period.id}", Decimal(1), "C62", bonus, vat))
        if bonus.amount < 0:
            back.append(line(f"Bonus of {period.id}, corrected by late data", Decimal(1), "C62", -bonus, vat))
        if credit.amount < 0:
            lines.append(line(f"Credit of {period.id}, corrected by late data", Decimal(1), "C62", -credit, vat))
        if credit.amount > 0:
            terms = contract.guarantee
            assert terms is not None
            values = ", ".join(f"{m['twin']} {m['rounded_percent']} %" for m in settlement["machines"])
            text = f"Guarantee {terms.level} % missed in {period.id}: {values}"
            back.append(line(text, Decimal(1), "C62", credit, damages() if terms.malus == "damages" else vat))
        note = f"Settlement {settlement['digest']}, revision {settlement['revision']}"
        made = []
        if lines:
            made.append(self._issue(contract, period, settlement, "380", lines, issued, note))
        first = made[0].number if made else self._first_number(contract, period)
        # What is outside the scope of VAT stands alone (BR-O-11).
        for alone in (False, True):
            own = [entry for entry in back if (entry.vat.category == "O" and vat.category != "O") is alone]
            if own:
                made.append(self._issue(contract, period, settlement, "381", own, issued, note, first))
        return made

    def _fee(self, contract: Contract, period: Period, vat: VatTreatment) -> list[InvoiceLine]:
        fee = fee_of(contract, period)
        return [line(f"{contract.title}, {period.id}", Decimal(1), "C62", fee, vat)] if fee.amount > 0 else []

    def _usage(self, contract: Contract, period: Period) -> list[tuple[str, Decimal, Money]]:
        """Meter, quantity and what has to be billed of each meter beyond what was billed before."""
        used = self._records.usage(contract.id, period.start, period.end)
        before = [i for i in self._records.invoices(contract=contract.id) if i.start == period.first]
        found = []
        for meter in contract.price.usage:
            quantity = sum((r.quantity for r in used if r.meter == meter.meter), Decimal(0)).quantize(Decimal("0.01"))
            change = price_of(meter, max(quantity, Decimal(0)), contract.currency)
            for invoice in before:
                for entry in invoice.lines:
                    if entry.item == meter.meter:
                        change = change - entry.net if invoice.type == "380" else change + entry.net
            if change.amount:
                found.append((meter.meter, quantity, change))
        return found

    def _issue(
        self,
        contract: Contract,
        period: Period,
        settlement: Document,
        kind: str,
        lines: list[InvoiceLine],
        issued: str,
        note: str,
        credits: str = "",
    ) -> Invoice:
        vat, net, tax, total = totals(lines, contract.currency)
        due = (date.fromisoformat(issued) + timedelta(days=contract.price.payment_days)).isoformat()
        last = (date.fromisoformat(period.last) - timedelta(days=1)).isoformat()
        invoice = Invoice(
            self._records.next_invoice_number(contract.provider, issued[:4]), kind, issued, due,  # type: ignore[arg-type]
            contract.provider, contract.customer, self._business(contract.provider), self._business(contract.customer),
            contract.currency, tuple(lines), vat, net, tax, total, contract.id, period.first, last,
            settlement["digest"], credits, note,
        )  # fmt: skip
        if not self._records.add_invoice(invoice):
            raise ConflictError(
                Fault("invoice:number-used", f"{invoice.number} is taken", "Try again: the next number is taken then")
            )
        self._post(contract, invoice)
        return invoice

    def _post(self, contract: Contract, invoice: Invoice) -> None:
        credit = invoice.type == "381"
        sign = -1 if credit else 1
        account = f"credits:{contract.id}" if credit else f"revenue:{contract.id}"
        postings = [
            Posting(f"receivable:{contract.customer}", invoice.total.times(sign)),
            Posting(account, invoice.net.times(-sign)),
        ]
        if invoice.tax.amount:
            postings.append(Posting(f"vat:{invoice.seller.country}", invoice.tax.times(-sign)))
        self._book(contract, "credit" if credit else "fee", f"Invoice {invoice.number}", invoice.number, postings)

    def _share_out(self, contract: Contract, period: Period, shares: dict[str, Money]) -> None:
        before = self._shared_before(contract, period)
        for party, amount in shares.items():
            change = amount - before.get(party, zero(contract.currency))
            if change.amount:
                postings = [Posting(f"shares:{contract.id}", change), Posting(f"payable:{party}", -change)]
                self._book(contract, "share", f"Share of {party}, {period.id}", f"{period.id}:{party}", postings)

    def _shares(self, agreement: Agreement, period: Period, settlement: Document) -> dict[str, Money]:
        """Partners' shares of what is payable, by the largest remainder, less what their own breaches cost them."""
        contract = agreement.contract
        payable = max(_money(settlement["payable"], contract), zero(contract.currency), key=lambda m: m.amount)
        weights = {p.party: p.share for p in contract.partners}
        rest = Decimal(100) - sum(weights.values(), Decimal(0))
        parts = split(payable, [*weights.values(), rest])
        measured = self._levels.measure(agreement, period, self._now())
        return shares_after(dict(zip(weights, parts, strict=False)), measured)

    def _shared_before(self, contract: Contract, period: Period) -> dict[str, Money]:
        found: dict[str, Money] = {}
        for entry in self._records.entries([contract.provider], 0, 2**62, contract.id):
            if entry.kind == "share" and entry.cause.startswith(f"{period.id}:"):
                party = entry.cause.partition(":")[2]
                found[party] = found.get(party, zero(contract.currency)) + entry.postings[0].amount
        return found

    def _billed_before(self, contract: Contract, period: Period, settlement: Document) -> dict[str, Money]:
        """Credit and bonus that earlier settlements of the period have brought into invoices."""
        billed = [
            s
            for s in self._records.settlements(contract.id, period.id)
            if s["revision"] < settlement["revision"]
            and self._records.invoices(contract=contract.id, cause=s["digest"])
        ]
        if not billed:
            return {}
        last = self._settle.settlement(contract.id, period.id, billed[-1]["revision"])
        return {name: _money(last[name], contract) for name in ("credit", "bonus")}

    def _first_number(self, contract: Contract, period: Period) -> str:
        own = [i for i in self._records.invoices(contract=contract.id) if i.type == "380" and i.start == period.first]
        return own[0].number if own else ""

    def _meter(self, agreement: Agreement, period: Period, settlement: Document) -> None:
        """Operating hours of the period as usage records: producing time, each revision as its difference."""
        contract = agreement.contract
        if not any(m.meter == "operating_hours" for m in contract.price.usage):
            return
        known = self._records.usage(contract.id, period.start, period.end)
        records = []
        for machine in settlement["machines"]:
            ns = sum(
                parse_instant(i["to"]) - parse_instant(i["from"])
                for i in machine["intervals"]
                if i["state"] == "producing"
            )
            hours = (Decimal(ns) / HOUR).quantize(Decimal("0.000001"))
            before = sum((r.quantity for r in known if r.twin == machine["twin"] and r.source == _SOURCE), Decimal(0))
            identity = f"{contract.id}:{period.id}:{machine['twin']}:r{settlement['revision']}"
            if hours != before:
                records.append(
                    UsageRecord(
                        _SOURCE, identity, contract.id, machine["twin"], "operating_hours", hours - before,
                        period.end - 1, "h",
                    )
                )  # fmt: skip
        MeterUsage(self._records, self._now).take(records)

    def _book(self, contract: Contract, kind: str, text: str, cause: str, postings: list[Posting]) -> None:
        entry = LedgerEntry(
            self._new_id(), self._now(), kind, contract.id, contract.provider, contract.customer, text, cause,  # type: ignore[arg-type]
            tuple(postings),
        )  # fmt: skip
        self._records.add_entry(balanced(entry))

    def _business(self, party: str) -> Business:
        found = next((p for p in self._records.parties() if p.id == party), None)
        if found is None or found.business is None:
            raise InvalidInputError(
                Fault(
                    "invoice:business-missing",
                    f"{party} has no address for invoices",
                    "Add `business:` with country, street, city, vat_id to the party in the plant file",
                    "parties",
                )
            )
        return found.business


def _money(text: str, contract: Contract) -> Money:
    return Money(Decimal(text), contract.currency)
