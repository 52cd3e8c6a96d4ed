"""Tables of what was said of deliveries, and of the references that it names."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

delivery_words = Table(
    "delivery_words",
    metadata,
    Column("party", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),  # when it came, or was withdrawn
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("party", "id"),
    Index("ix_delivery_words_changed", "changed"),
)
delivery_refs = Table(
    "delivery_refs",
    metadata,
    Column("ref", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("id", Text, nullable=False),
    PrimaryKeyConstraint("ref", "party", "id"),
    sqlite_with_rowid=False,
)
