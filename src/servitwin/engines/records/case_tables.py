"""Tables of requirements that were added to twins, and of cases: rows are only added."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

# What somebody added to a twin, beside those of its type; a later number replaces, an empty formula takes back.
twin_requirements = Table(
    "twin_requirements",
    metadata,
    Column("twin", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("twin", "name", "number"),
)
cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("twin", Text, nullable=False),
    Column("requirement", Text, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_cases_twin_opened", "twin", "opened"),
)
case_steps = Table(
    "case_steps",
    metadata,
    Column("case_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("case_id", "number"),
)
# Where monitors stand, so that they go on after a restart and again from before late data; old ones are thinned out.
monitor_snapshots = Table(
    "monitor_snapshots",
    metadata,
    Column("twin", Text, nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("cut", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("twin", "watermark"),
)
