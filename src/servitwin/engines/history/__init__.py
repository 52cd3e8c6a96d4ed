"""History: Delta tables that only ingest appends to, and the reader that answers at a cut.

The names are imported on first use, so that ingest does not load DuckDB and the web does not load ``deltalake``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servitwin.engines.history.columns import ipc_of, table_of
    from servitwin.engines.history.reader import DuckReader
    from servitwin.engines.history.writer import DeltaWriter

__all__ = ["DeltaWriter", "DuckReader", "ipc_of", "table_of"]

_HOME = {"DeltaWriter": "writer", "DuckReader": "reader", "ipc_of": "columns", "table_of": "columns"}


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
