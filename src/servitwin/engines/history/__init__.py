"""History: Delta tables that only ingest appends to, and the reader that answers at a cut.

The names are imported on first use, so that ingest does not load DuckDB and the web does not load ``deltalake``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servitwin.engines.history.columns import ipc_of, table_of
    from servitwin.engines.history.copies import backup, restore
    from servitwin.engines.history.projections import roll_up
    from servitwin.engines.history.reader import DuckReader
    from servitwin.engines.history.upkeep import Dropped, Hold, compact, mark_replayed, retain, vacuum
    from servitwin.engines.history.writer import DeltaWriter

_HOME = {
    "DeltaWriter": "writer",
    "Dropped": "upkeep",
    "DuckReader": "reader",
    "Hold": "upkeep",
    "backup": "copies",
    "compact": "upkeep",
    "ipc_of": "columns",
    "mark_replayed": "upkeep",
    "restore": "copies",
    "retain": "upkeep",
    "roll_up": "projections",
    "table_of": "columns",
    "vacuum": "upkeep",
}
__all__ = [
    "DeltaWriter",
    "Dropped",
    "DuckReader",
    "Hold",
    "backup",
    "compact",
    "ipc_of",
    "mark_replayed",
    "restore",
    "retain",
    "roll_up",
    "table_of",
    "vacuum",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
