"""Table of the public keys of machines."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

machine_keys = Table(
    "machine_keys",
    metadata,
    Column("twin", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("twin", "id"),
)
