"""Tables of traced objects: events, which objects each is about, and a summary of each object by party."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from servitwin.engines.records.tables import metadata

trace_events = Table(
    "trace_events",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("party", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("start", BigInteger),
    Column("kind", Text, nullable=False),
    Column("twin", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("id", "party", name="uq_trace_events"),
    Index("ix_trace_events_twin_at", "twin", "at"),
    Index("ix_trace_events_product", "product", "kind", "at"),
    Index("ix_trace_events_source", "source"),
)
trace_uses = Table(
    "trace_uses",
    metadata,
    Column("object", Text, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("role", Text, nullable=False),  # in, out, about
    PrimaryKeyConstraint("object", "event", "role"),
    Index("ix_trace_uses_event", "event", "role"),
    sqlite_with_rowid=False,
)
trace_objects = Table(
    "trace_objects",
    metadata,
    Column("party", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("twin", Text, nullable=False),
    Column("made", BigInteger, nullable=False),  # 0: not told
    Column("verdict", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("party", "id"),
    Index("ix_trace_objects_id", "id", "party"),  # of whatever party
    Index("ix_trace_objects_name", "name"),
    Index("ix_trace_objects_made", "made", "id"),
)
