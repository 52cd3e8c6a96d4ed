"""Opening and creating the Delta tables, for those who write them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import ArrayType, PrimitiveType

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


def _delta_type(arrow: pa.DataType) -> PrimitiveType | ArrayType:
    if pa.types.is_list(arrow):
        return ArrayType(_delta_type(arrow.value_type), contains_null=True)
    return PrimitiveType(_TYPES[str(arrow)])


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
        fields = [Field(f.name, _delta_type(f.type)) for f in COLUMNS[name]]
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
