"""Tables of usage, the ledger and invoices; all of them append-only but the counter of invoice numbers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

usage_records = Table(
    "usage_records",
    metadata,
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("meter", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("source", "id"),
    Index("ix_usage_records_contract_at", "contract", "at"),
)
usage_conflicts = Table(
    "usage_conflicts",
    metadata,
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("source", "id", "digest"),
)
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("contract", Text, nullable=False),
    Column("seller", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_ledger_entries_contract_at", "contract", "at"),
)
invoice_numbers = Table(
    "invoice_numbers",
    metadata,
    Column("seller", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("seller", "series"),
)
invoices = Table(
    "invoices",
    metadata,
    Column("seller", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("buyer", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("issued", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("seller", "number"),
    Index("ix_invoices_contract_cause", "contract", "cause"),
)
