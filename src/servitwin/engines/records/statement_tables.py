"""Table of statements that wait for the evidence log, and of those that are in it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from servitwin.engines.records.tables import metadata

statements = Table(
    "statements",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=True, index=True),
)
