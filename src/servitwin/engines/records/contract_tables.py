"""Tables of contracts and what is said and settled under them: rows are added, only a key may be revoked."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from servitwin.engines.records.tables import metadata

contracts = Table(
    "contracts",
    metadata,
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("provider", Text, nullable=False, index=True),
    Column("customer", Text, nullable=False, index=True),
    Column("added", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", "version"),
)
signatures = Table(
    "signatures",
    metadata,
    Column("digest", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("digest", "party"),
)
# One for a document: of two who end an offer at once the first is kept.
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
party_keys = Table(
    "party_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("party", Text, nullable=False, index=True),
    Column("public_key", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
reasons = Table(
    "reasons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("twin", Text, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_reasons_twin_start", "twin", "start_ns"),
)
# The number of a step is part of the key, as of claims: two people cannot both write the same step of an order.
work_orders = Table(
    "work_orders",
    metadata,
    Column("id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("twin", Text, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", "number"),
    Index("ix_work_orders_twin_start", "twin", "start_ns"),
)
exclusions = Table(
    "exclusions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("contract", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
# The number of a step is part of the key: two people who decide at once cannot both write the same step.
exclusion_steps = Table(
    "exclusion_steps",
    metadata,
    Column("exclusion", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("exclusion", "number"),
)
acceptances = Table(
    "acceptances",
    metadata,
    Column("contract", Text, nullable=False),
    Column("twin", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("contract", "twin", "number"),
)
settlements = Table(
    "settlements",
    metadata,
    Column("contract", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("contract", "period", "revision"),
)
baselines = Table(
    "baselines",
    metadata,
    Column("contract", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("contract", "number"),
)
