"""Opening and creating the Delta tables, for those who write them."""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType

from servitwin.engines.history.schema import COLUMNS, PARTITION

_TYPES = {
    "string": "string",
    "int64": "long",
    "int32": "integer",
    "int8": "byte",
    "double": "double",
    "bool": "boolean",
    "binary": "binary",
}
_CONFIGURATION: dict[str, str | None] = {
    "delta.checkpointInterval": "100",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.enableExpiredLogCleanup": "true",
}


def open_table(folder: Path, name: str) -> DeltaTable:
    """The table of that name, created if it is not there; two processes may do so at once."""
    path = str(folder / name)
    if not DeltaTable.is_deltatable(path):
        Path(path).mkdir(parents=True, exist_ok=True)
        fields = [Field(f.name, PrimitiveType(_TYPES[str(f.type)])) for f in COLUMNS[name]]
        fields.append(Field(PARTITION, PrimitiveType("string")))
        DeltaTable.create(
            path,
            schema=Schema(fields),
            mode="ignore",
            partition_by=[PARTITION],
            name=name,
            configuration=_CONFIGURATION,
        )
    return DeltaTable(path)
