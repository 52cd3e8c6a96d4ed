"""Tables of the records. What is searched by is a column; the rest of a noun is its JSON in ``body``."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

# SQLite gives out increasing ids for "INTEGER PRIMARY KEY" alone; everywhere else 64 bits must be asked for.
_ID = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

machine_types = Table(
    "machine_types",
    metadata,
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name", "version"),
)
# Every id that a twin ever had: an id is never given to another twin.
twin_ids = Table("twin_ids", metadata, Column("id", Text, primary_key=True), Column("uid", Text, nullable=False))
twins = Table(
    "twins",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
twin_parents = Table(
    "twin_parents",
    metadata,
    Column("uid", Text, nullable=False),
    Column("parent", Text, nullable=False, index=True),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger),
    PrimaryKeyConstraint("uid", "parent", "start_ns"),
)
gaps = Table(
    "gaps",
    metadata,
    Column("uid", Text, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("uid", "start_ns", "end_ns", "source"),
)
calendars = Table(
    "calendars", metadata, Column("name", Text, primary_key=True), Column("body", LargeBinary, nullable=False)
)
revisions = Table(
    "revisions", metadata, Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False)
)

parties = Table("parties", metadata, Column("id", Text, primary_key=True), Column("body", LargeBinary, nullable=False))
accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("password_hash", Text),
)
tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("party", Text, nullable=False, index=True),
    Column("actor", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    Column("label", Text, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
)
grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("grantee", Text, nullable=False, index=True),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger),
    Column("body", LargeBinary, nullable=False),
)
machine_credentials = Table(
    "machine_credentials",
    metadata,
    Column("user_name", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    Column("twins", LargeBinary, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Text, primary_key=True),
    Column("twin", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_commands_twin_issued_id", "twin", "issued", "id"),
    Index("ix_commands_open", "is_open", sqlite_where=text("is_open"), postgresql_where=text("is_open")),
    Index(
        "uq_commands_twin_key",
        "twin",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key <> ''"),
        postgresql_where=text("idempotency_key <> ''"),
    ),
)
levels = Table(
    "levels",
    metadata,
    Column("twin", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("level", Text, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    PrimaryKeyConstraint("twin", "subject", "since"),
)
audit = Table(
    "audit",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", LargeBinary, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("detail", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
events = Table(
    "events",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("service", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("twin", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("cut", Text, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("snapshot", LargeBinary),
    UniqueConstraint("service", "version", "twin", "parameters", "start_ns", "end_ns", "revision", name="uq_outcomes"),
    Index("ix_outcomes_service_twin_end", "service", "twin", "end_ns"),
)
settings = Table("settings", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
