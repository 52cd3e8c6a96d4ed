"""Book what no settlement makes by itself: payments, refunds, and the costs of a contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.invoice import Invoice
from servitwin.domain.ledger import LedgerEntry, Posting, balanced
from servitwin.domain.money import Money, decimals, zero
from servitwin.domain.open_item import OpenItem, open_items
from servitwin.domain.party import Actor
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.ports import Records

_ALWAYS = (0, 2**62)


class BookEntry:
    """Puts entries into the provider's books."""

    def __init__(
        self,
        records: Records,
        access: ContractAccess,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._access = access
        self._audit = audit
        self._now = now
        self._new_id = new_id

    def open_items(self, contract: str) -> dict[tuple[str, str], OpenItem]:
        """What is open of the invoices of a contract, by seller and number."""
        return self.open_items_of(self._records.invoices(contract=contract))

    def open_items_of(self, invoices: Sequence[Invoice]) -> dict[tuple[str, str], OpenItem]:
        """What is open of invoices, with the credit notes of their contracts among them; reads no other entries."""
        return open_items(invoices, self._records.entries_of(sorted({i.contract for i in invoices})))

    def payment(self, invoice: Invoice, paid: Money, reference: str, actor: Actor) -> LedgerEntry:
        """Book that an invoice was paid, or a credit note paid back, in whole or in part.

        Raises:
            InvalidInputError: ``payment:not-positive``, ``money:below-unit``.
            ConflictError: ``payment:exceeds-open``.
        """
        self._access.require(actor, "settle", self._access.current(actor, invoice.contract).contract)
        _require_units(paid)
        if paid.amount <= 0:
            raise InvalidInputError(Fault("payment:not-positive", "A payment is more than nothing", where="amount"))
        back = invoice.type == "381"
        with self._records.together(alone=f"bill {invoice.contract}"):
            item = self.open_items(invoice.contract)[invoice.seller_party, invoice.number]
            # An invoice may be paid whole although a credit note took something off: that is paid back then.
            most = item.open if back else invoice.total - item.paid
            if paid.amount > most.amount:
                raise ConflictError(
                    Fault(
                        "payment:exceeds-open",
                        f"Of {invoice.number} {most.amount:f} {most.currency} can still be "
                        f"{'paid back' if back else 'paid'}, not {paid.amount:f}",
                        "Look whether it was booked before; what was paid too much belongs to another invoice",
                        "amount",
                    )
                )
            came = -paid if back else paid
            postings = (
                Posting(f"bank:{invoice.seller_party}", came),
                Posting(f"receivable:{invoice.buyer_party}", -came),
            )
            text = f"{'Refund' if back else 'Payment'} of {invoice.number} {reference}".strip()
            entry = LedgerEntry(
                self._new_id(), self._now(), "payment", invoice.contract, invoice.seller_party, invoice.buyer_party,
                text, invoice.number, postings,
            )  # fmt: skip
            self._records.add_entry(balanced(entry))
        self._audit.note(actor, "ledger.book", invoice.contract, {"entry": entry.id, "kind": "payment"})
        return entry

    def cost(
        self,
        contract_id: str,
        kind: Literal["visits", "parts", "data"],
        spent: Money,
        actor: Actor,
        *,
        text: str,
        cause: str = "",
        corrects: str = "",
    ) -> LedgerEntry:
        """Book a cost of a contract; a negative amount with ``corrects`` takes an earlier one back.

        Raises:
            InvalidInputError: ``ledger:amount-invalid``, ``ledger:corrects-unknown``, ``money:below-unit``.
        """
        contract = self._access.current(actor, contract_id).contract
        self._access.require(actor, "settle", contract)
        _require_units(spent)
        if spent.amount == 0 or (spent.amount < 0 and not corrects):
            raise InvalidInputError(
                Fault(
                    "ledger:amount-invalid", "A cost is more than nothing", "To take one back name it in `corrects`",
                    "amount",
                )
            )  # fmt: skip
        postings = (Posting(f"{kind}:{contract.id}", spent), Posting(f"suppliers:{contract.provider}", -spent))
        entry = LedgerEntry(
            self._new_id(), self._now(), "cost", contract.id, contract.provider, contract.customer, text, cause,
            postings, corrects,
        )  # fmt: skip
        with self._records.together(alone=f"bill {contract.id}"):
            if corrects:
                self._require_correctable(contract.provider, contract.id, corrects, spent)
            self._records.add_entry(balanced(entry))
        self._audit.note(actor, "ledger.book", contract.id, {"entry": entry.id, "kind": kind})
        return entry

    def _require_correctable(self, seller: str, contract: str, id: str, spent: Money) -> None:
        """A correction names a cost of the same contract and takes back no more than is left of it."""
        costs = [e for e in self._records.entries([seller], *_ALWAYS, contract) if e.kind == "cost"]
        own = [e.postings[0].amount for e in costs if id in {e.id, e.corrects}]
        if not any(e.id == id for e in costs):
            raise InvalidInputError(
                Fault(
                    "ledger:corrects-unknown", f"{contract} has no cost {id[:80]!r}", "GET /api/v1/ledger shows them",
                    "corrects",
                )
            )  # fmt: skip
        left = sum(own, zero(spent.currency)) + spent if all(m.currency == spent.currency for m in own) else None
        if left is None or left.amount < 0:
            raise InvalidInputError(
                Fault(
                    "ledger:amount-invalid", f"That takes back more than is left of {id[:80]}",
                    "Take back at most what was booked, in its currency", "amount",
                )
            )  # fmt: skip


def _require_units(amount: Money) -> None:
    """Nobody pays or books a part of the currency's smallest unit."""
    if amount.rounded().amount != amount.amount:
        raise InvalidInputError(
            Fault(
                "money:below-unit", f"{amount} has parts of the smallest unit of {amount.currency}",
                f"Write it with at most {decimals(amount.currency)} decimals", "amount",
            )
        )  # fmt: skip
