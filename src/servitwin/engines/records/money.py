"""Usage records, ledger entries and invoices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from servitwin.domain.invoice import Invoice
from servitwin.domain.ledger import LedgerEntry
from servitwin.domain.usage import UsageConflict, UsageRecord
from servitwin.engines.records import money_tables as t
from servitwin.engines.records.database import add, add_many, count_up
from servitwin.engines.records.part import Part, decode, encode

_TOGETHER = 500  # rows a statement: SQLite takes 32 766 values


class MoneyRecords(Part):
    """What was used, booked and invoiced. Nothing here is ever changed."""

    def add_usage(self, records: Sequence[UsageRecord]) -> list[UsageRecord | None]:
        """Keep records, each identity once; of each record what was there before with that identity, or None."""
        before: list[UsageRecord | None] = []
        with self._database.write() as connection:
            for first in range(0, len(records), _TOGETHER):
                before += _add_together(connection, records[first : first + _TOGETHER])
        return before

    def add_usage_conflict(self, conflict: UsageConflict, digest: str) -> None:
        """Keep a record whose identity was used with other content."""
        record = conflict.record
        row = {
            "source": record.source, "id": record.id, "digest": digest, "contract": record.contract,
            "received": conflict.received, "body": encode(conflict),
        }  # fmt: skip
        with self._database.write() as connection:
            add(connection, t.usage_conflicts, row)

    def usage_conflicts(self, contracts: Sequence[str]) -> list[UsageConflict]:
        """Conflicts of contracts, oldest first."""
        c = t.usage_conflicts.c
        query = select(c.body).where(c.contract.in_(contracts)).order_by(c.received, c.source, c.id)
        with self._database.read() as connection:
            return [decode(b, UsageConflict) for b in connection.execute(query).scalars()]

    def usage(self, contract: str, start: int, end: int) -> list[UsageRecord]:
        """Records of a contract with an instant in [start, end), in order of time."""
        c = t.usage_records.c
        query = select(c.body).where(c.contract == contract, c.at >= start, c.at < end).order_by(c.at, c.source, c.id)
        with self._database.read() as connection:
            return [decode(b, UsageRecord) for b in connection.execute(query).scalars()]

    def add_entry(self, entry: LedgerEntry) -> bool:
        """Book an entry; False if one with its id is there."""
        row = {
            "id": entry.id, "at": entry.at, "contract": entry.contract, "seller": entry.seller,
            "customer": entry.customer, "body": encode(entry),
        }  # fmt: skip
        with self._database.write() as connection:
            return add(connection, t.ledger_entries, row)

    def entries(self, sellers: Sequence[str], start: int, end: int, contract: str = "") -> list[LedgerEntry]:
        """Entries of sellers' books in [start, end), in order of time."""
        c = t.ledger_entries.c
        query = select(c.body).where(c.seller.in_(sellers), c.at >= start, c.at < end).order_by(c.at, c.id)
        if contract:
            query = query.where(c.contract == contract)
        with self._database.read() as connection:
            return [decode(b, LedgerEntry) for b in connection.execute(query).scalars()]

    def entries_of(self, contracts: Sequence[str]) -> list[LedgerEntry]:
        """Every entry of some contracts, in order of time."""
        c = t.ledger_entries.c
        query = select(c.body).where(c.contract.in_(contracts)).order_by(c.at, c.id)
        with self._database.read() as connection:
            return [decode(b, LedgerEntry) for b in connection.execute(query).scalars()]

    def next_invoice_number(self, seller: str, series: str) -> str:
        """The next number of a series without gaps; call it in the transaction that keeps the invoice."""
        with self._database.write() as connection:
            row = {"seller": seller, "series": series, "last": 1}
            count_up(connection, t.invoice_numbers, row, "last")
            c = t.invoice_numbers.c
            last = connection.execute(select(c.last).where(c.seller == seller, c.series == series)).scalar_one()
        return f"{series}-{last:05}"

    def add_invoice(self, invoice: Invoice) -> bool:
        """Keep an invoice; False if its number is taken."""
        row = {
            "seller": invoice.seller_party, "number": invoice.number, "buyer": invoice.buyer_party,
            "contract": invoice.contract, "cause": invoice.cause, "issued": invoice.issued, "body": encode(invoice),
        }  # fmt: skip
        with self._database.write() as connection:
            return add(connection, t.invoices, row)

    def invoices(self, party: str = "", *, contract: str = "", cause: str = "") -> list[Invoice]:
        """Invoices that a party sent or got (empty: all), by day and number."""
        c = t.invoices.c
        query = select(c.body).order_by(c.issued, c.number)
        if party:
            query = query.where(or_(c.seller == party, c.buyer == party))
        if contract:
            query = query.where(c.contract == contract)
        if cause:
            query = query.where(c.cause == cause)
        with self._database.read() as connection:
            return [decode(b, Invoice) for b in connection.execute(query).scalars()]


def _add_together(connection: Connection, records: Sequence[UsageRecord]) -> list[UsageRecord | None]:
    """Add records by one statement; of each what was there before with its identity, from another of them too."""
    c = t.usage_records.c
    rows = [
        {
            "source": r.source, "id": r.id, "contract": r.contract, "meter": r.meter, "at": r.at, "body": encode(r),
        }
        for r in records
    ]  # fmt: skip
    new = add_many(connection, t.usage_records, rows)
    repeated = [r for r in records if (r.source, r.id) not in new]
    known: dict[tuple[str, str], UsageRecord] = {}
    if repeated:
        sources, ids = {r.source for r in repeated}, {r.id for r in repeated}
        query = select(c.source, c.id, c.body).where(c.source.in_(sources), c.id.in_(ids))
        known = {(row.source, row.id): decode(row.body, UsageRecord) for row in connection.execute(query)}
    before: list[UsageRecord | None] = []
    for record in records:
        identity = (record.source, record.id)
        before.append(known.get(identity))
        known.setdefault(identity, record)
    return before
