"""What every part of the records shares: the database, and the way to JSON and back."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, func, literal

from servitwin.engines.records.database import Database

T = TypeVar("T")
_encoder = msgspec.json.Encoder(order="deterministic")


def encode(value: object) -> bytes:
    """JSON of a struct or plain data; the same value always gives the same bytes."""
    return _encoder.encode(value)


def decode(content: bytes, kind: type[T]) -> T:
    """The struct that :func:`encode` wrote; fields added since then have their defaults."""
    return msgspec.json.decode(content, type=kind)


def decode_plain(content: bytes) -> Any:
    """Plain data that :func:`encode` wrote."""
    return msgspec.json.decode(content)


def holds(database: Database, body: ColumnElement[bytes], content: bytes) -> ColumnElement[bool]:
    """Whether a body that :func:`encode` wrote has this content in it, for a query."""
    wanted = literal(content, LargeBinary)
    if database.engine.dialect.name == "postgresql":
        return func.pg_catalog.position(body, wanted) > 0
    return func.instr(body, wanted) > 0


class Part:
    """One noun's share of the records."""

    def __init__(self, database: Database) -> None:
        self._database = database
