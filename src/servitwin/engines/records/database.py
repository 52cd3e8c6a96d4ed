"""The connection to the records database: short transactions, and one writer at a time where SQLite wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError

from servitwin.domain.error import Fault, UnavailableError

BUSY_TIMEOUT_MS = 15_000


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///PATH`` or ``postgresql+pg8000://...`` that is safe for several processes.

    SQLite: write-ahead log, so that readers never wait, and a writer takes its lock when it begins, so that it
    waits for its turn instead of failing half-way.
    """
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    engine = create_engine(url, pool_pre_ping=not is_sqlite)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # audit and commands outlive a power cut; writes here are few
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Read and write transactions of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._own = threading.local()  # the connection of this thread's transaction over several writes

    @contextmanager
    def together(self, alone: str = "") -> Iterator[None]:
        """Reads and writes of this thread inside the block are one transaction; nested blocks join the outer one.

        ``alone``: blocks of that name run one after the other. SQLite has one writer at a time anyway; PostgreSQL
        needs to be told.
        """
        joined = self._joined()
        if joined is not None:
            _wait_for_turn(joined, alone)
            yield
            return
        with self.write() as connection:
            _wait_for_turn(connection, alone)
            self._own.connection = connection
            try:
                yield
            finally:
                self._own.connection = None

    def _joined(self) -> Connection | None:
        connection: Connection | None = getattr(self._own, "connection", None)
        return connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database.

        Raises:
            UnavailableError: ``records:not-reachable``.
        """
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or rolled back if anything is raised.

        Raises:
            UnavailableError: ``records:not-reachable``, also if other writers hold the lock for too long.
        """
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        with _told(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection


def _wait_for_turn(connection: Connection, name: str) -> None:
    """Hold the name's lock until the transaction ends."""
    if name and connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as e:
        raise UnavailableError(
            Fault(
                "records:not-reachable",
                f"The records database does not answer: {e.orig}",
                "Try again; if it lasts, look at the disk, at other writers, and whether it was migrated",
            )
        ) from e


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement: postgresql.Insert | sqlite.Insert = dialect.insert(table)
    return statement


def _replacing(statement: postgresql.Insert | sqlite.Insert, table: Table, given: Iterable[str]) -> Executable:
    keys = [c.name for c in table.primary_key]
    rest = {name: statement.excluded[name] for name in given if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


def _upsert(connection: Connection, table: Table, values: Mapping[str, Any]) -> postgresql.Insert | sqlite.Insert:
    return _insert(connection, table).values(**values)


def put(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or replace the columns given of the row with the same primary key."""
    connection.execute(_replacing(_upsert(connection, table, values), table, values))


def put_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """:func:`put` for many rows with the same columns, prepared once."""
    if rows:
        connection.execute(_replacing(_insert(connection, table), table, rows[0]), rows)


def add(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; whether it was inserted. Safe against other writers."""
    statement = _upsert(connection, table, values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount > 0


def add_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """Insert rows but those whose key is there, many by one statement; the keys of what was inserted."""
    if not rows:
        return set()
    statement = _insert(connection, table).on_conflict_do_nothing().returning(*table.primary_key)
    return {tuple(row) for row in connection.execute(statement, list(rows))}


def count_up(connection: Connection, table: Table, values: Mapping[str, Any], column: str) -> None:
    """Add one to a counter that starts with ``values``, in one statement, so that no count is lost."""
    keys = [c.name for c in table.primary_key]
    statement = _upsert(connection, table, values)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={column: table.c[column] + 1}))
