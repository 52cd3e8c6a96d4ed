"""Tables of controllers, of their checks and replays; the texts and what was found are among the node's files."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

controllers = Table(
    "controllers",
    metadata,
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name", "version"),
)
controller_checks = Table(
    "controller_checks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Index("ix_controller_checks_of", "name", "version", "at"),
)
controller_replays = Table(
    "controller_replays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Index("ix_controller_replays_of", "name", "version", "at"),
)
