"""Tables of releases and of their gates; what a gate found in full is among the node's files."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from servitwin.engines.records.tables import metadata

releases = Table(
    "releases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("machine_type", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
release_gates = Table(
    "release_gates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("release", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
