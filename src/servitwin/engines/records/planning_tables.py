"""Tables of registers, jobs and artefacts; problems, plans and learnt models are among the node's files."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

register_entries = Table(
    "register_entries",
    metadata,
    Column("party", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("party", "kind", "id", "revision"),
    Index("ix_register_entries_newest", "kind", "party", "newest", "id"),
)
jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Index("ix_jobs_of", "party", "service", "at"),
)
artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", Text, nullable=False),
    Column("trainer", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("party", "trainer", "digest"),
    Index("ix_artefacts_of", "trainer", "party", "made"),
)
