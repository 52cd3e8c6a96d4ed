"""Shapes that every noun uses: times, values, faults, pages."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Instant = Annotated[
    str,
    Field(
        description="RFC 3339, UTC, up to nine decimals",
        examples=["2026-09-21T08:15:00.250Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
InstantIn = Annotated[
    str | int,
    Field(description="RFC 3339 with offset, or nanoseconds UTC", examples=["2026-09-21T08:15:00.250Z"]),
]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, description="counts from 1")]
Value = float | bool | str | None
Cut = Annotated[
    dict[str, int],
    Field(description="How much of each stream is known: shard -> last sequence included", examples=[{"0": 48211}]),
]
Provenance = Annotated[
    str,
    Field(
        description="URL that tells how this answer was made",
        examples=["/api/v1/provenance?kind=state&twin=mill-1"],
    ),
]
Quality = Annotated[int, Field(description="0 good, 1 uncertain, 2 bad", ge=0, le=2, examples=[0])]
Item = TypeVar("Item")


def _no_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "Input should be a number, not true or false")
    return value


def _without_flags(schema: Any) -> Any:
    """A core schema in which each number is checked by :func:`_no_flag` first."""
    if isinstance(schema, list):
        return [_without_flags(s) for s in schema]
    if isinstance(schema, tuple):
        return tuple(_without_flags(s) for s in schema)
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "function-before" and schema["function"]["function"] is _no_flag:
        return schema
    if schema.get("type") in ("int", "float"):
        return core_schema.no_info_before_validator_function(_no_flag, cast(CoreSchema, schema))
    if schema.get("type") == "union":  # a choice is named by its type in faults
        choices = [c if isinstance(c, tuple) else (_without_flags(c), c["type"]) for c in schema["choices"]]
        return {**schema, "choices": choices}
    return {k: v if k in ("metadata", "serialization", "default") else _without_flags(v) for k, v in schema.items()}


class Shape(BaseModel):
    """Base of all shapes; what is not named here is refused on the way in."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """As pydantic makes it, but true and false are no numbers: who sends them means something else."""
        made: CoreSchema = _without_flags(handler(source))
        return made


class FaultShape(Shape):
    """One thing that is wrong, where, and how to mend it."""

    code: str = Field(examples=["machine-type:signal-unknown"])
    message: str = Field(examples=["Rule 2 tests signal 'spindel.load', which the type does not have"])
    hint: str = Field("", examples=["Did you mean 'spindle.load'?"])
    where: str = Field("", examples=["states.rules[1].when[0].signal"])
    line: int | None = None
    column: int | None = None
    file: str | None = None


class ErrorShape(FaultShape):
    """Answer of every failed call; ``faults`` lists all that is wrong, the first one leads."""

    faults: list[FaultShape]


class Page(Shape, Generic[Item]):
    """One page of a list; ``next`` is the ``cursor`` of the following page, null on the last one."""

    items: list[Item]
    next: str | None = Field(None, description="Pass it as `cursor`", examples=["bWlsbC0z"])


class Done(Shape):
    """The call did what it says."""

    done: bool = True


Evidence = dict[str, Any]
