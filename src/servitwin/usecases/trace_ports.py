"""What the use cases need of the records for traced objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from servitwin.domain.genealogy import Direction
from servitwin.domain.kept_trace import KeptLink, KeptObject, KeptTrace, ObjectQuery
from servitwin.domain.trace_event import TraceKind


class TraceRecords(Protocol):
    """Events of traced objects, and what they tell."""

    def add_traces(self, traces: Sequence[KeptTrace]) -> int: ...
    def replace_traces(self, source: str, traces: Sequence[KeptTrace]) -> tuple[int, int]: ...
    def withdraw_traces(self, party: str, ids: Sequence[str]) -> int: ...
    def trace_links(self, ids: Sequence[str], direction: Direction) -> list[KeptLink]: ...
    def traces_about(self, ids: Sequence[str], limit: int = 1000) -> list[KeptTrace]: ...
    def traces_between(
        self,
        start: int,
        end: int,
        *,
        twin: str | None = None,
        kind: TraceKind | None = None,
        product: str = "",
        newest: bool = False,
        limit: int = 10_000,
    ) -> list[KeptTrace]: ...
    def trace_products(self) -> list[tuple[str, str, str]]: ...
    def trace_objects(self, ids: Sequence[str]) -> list[KeptObject]: ...
    def find_trace_objects(self, asked: ObjectQuery) -> list[KeptObject]: ...
