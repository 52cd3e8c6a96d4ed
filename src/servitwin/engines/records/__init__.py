"""Records: twins, types, parties, commands, audit in SQLite or PostgreSQL.

``migrate`` is imported on first use: only the process that prepares a node needs Alembic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from servitwin.engines.records.records import SqlRecords

if TYPE_CHECKING:
    from servitwin.engines.records.migration import migrate

__all__ = ["SqlRecords", "migrate"]


def __getattr__(name: str) -> Any:
    """``migrate`` from its module (PEP 562)."""
    if name == "migrate":
        from servitwin.engines.records.migration import migrate as found  # noqa: PLC0415 - see above

        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
